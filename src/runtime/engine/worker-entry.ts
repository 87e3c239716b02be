import { runWorkerProcess } from './worker-main.js';

process.exit(await runWorkerProcess());
