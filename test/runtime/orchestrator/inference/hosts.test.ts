import { expect, test } from 'vitest';
import { hostFor } from '../../../../src/runtime/orchestrator/inference/hosts.js';

const here = (threads: readonly string[], frameworks: readonly string[], hasOnnxGpu = false) => ({
  runsOnThread: (host: string) => threads.includes(host),
  hasOnnxGpu,
  hasFramework: async (backend: string) => frameworks.includes(backend),
});
const laptop = here(['ONNX', 'SCRIPT'], []);
const nvidia = here(['ONNX', 'SCRIPT'], ['TORCH', 'ONNX'], true);
const amd = here(['ONNX', 'SCRIPT'], ['TORCH', 'ONNX']);
const noNpm = here(['SCRIPT'], ['ONNX']);

test.each([
  ['ONNX on a CPU', 'model', 'ONNX', 'CPU', laptop, 'ONNX'],
  ['ONNX on a GPU that the bundled runtime has', 'model', 'ONNX', 'GPU:1', nvidia, 'ONNX'],
  ['ONNX on a GPU that the Python alone may have', 'model', 'ONNX', 'GPU:1', amd, 'ONNX-WORKER'],
  ['ONNX on a GPU that nobody has, which its own error tells', 'model', 'ONNX', 'GPU', laptop, 'ONNX'],
  ['ONNX without the bundled runtime', 'model', 'ONNX', 'CPU', noNpm, 'ONNX-WORKER'],
  ['TORCH', 'model', 'TORCH', 'GPU', amd, 'TORCH'],
  ['TORCH without PyTorch, which its own error tells', 'model', 'TORCH', 'CPU', laptop, 'TORCH'],
  ['a script with PyTorch', 'script', 'TORCH', 'CPU', nvidia, 'TORCH'],
  ['a script without PyTorch', 'script', 'TORCH', 'CPU', laptop, 'SCRIPT'],
  ['a script where nothing runs it', 'script', 'TORCH', 'CPU', here([], []), 'TORCH'],
] as const)('%s', async (_what, kind, backend, device, facts, host) => {
  expect(await hostFor(kind, backend, device, facts)).toBe(host);
});
