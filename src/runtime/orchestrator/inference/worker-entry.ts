import { runInferenceWorker } from './worker.js';

runInferenceWorker();
