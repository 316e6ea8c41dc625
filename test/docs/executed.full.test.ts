// As executed.test.ts, with what takes long: training, large models, the examples' own command lines.
import { runDocuments } from './executed/run-documents.js';

await runDocuments(true);
