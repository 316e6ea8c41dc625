import { type GraphDescription, type OnnxModel, writeOnnx } from '../graph/onnx/write.js';
import { lowerFor, type Target } from './index.js';

/**
 * Writes a graph as the ONNX model that a target runs: its outputs are lowered first. Names, documents and initializers
 * stay.
 *
 * @throws BoxwrightError `graph` as `writeOnnx` does.
 */
export function writeLowered(graph: GraphDescription, target: Target): OnnxModel {
  const lowered = lowerFor(Object.values(graph.outputs), target);
  const outputs = Object.fromEntries(Object.keys(graph.outputs).map((name, i) => [name, lowered[i]]));
  return writeOnnx({ ...graph, outputs });
}
