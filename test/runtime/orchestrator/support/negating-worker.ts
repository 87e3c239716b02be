import { runInferenceWorker } from '../../../../src/runtime/orchestrator/inference/worker.js';
import { negating } from './negating-backend.js';

runInferenceWorker(negating);
