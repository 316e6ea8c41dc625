// A thread of cocoTablesOnThreads.
import { workerData } from 'node:worker_threads';
import { fillTables } from './coco-tables.js';
import type { TableTask } from './coco-threads.js';

const { data, order, tables, classes } = workerData as TableTask;
fillTables(data, order, tables, classes);
