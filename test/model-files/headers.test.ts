import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { backendNames } from '../../src/ml/backends.js';
import { modelFormats, readModelHeader } from '../../src/model-files/index.js';
import { field } from '../runtime/orchestrator/support/onnx.js';
import { expectedHeaders } from './support/expected.js';
import { backendOf, models, modelsIn, readAll, readOrRefuse } from './support/models.js';

test('inputs and outputs of real models, by their files and by their bytes', () => {
  expect(readAll(models)).toEqual(expectedHeaders);
  for (const file of modelsIn(models)) {
    expect(readOrRefuse(readFileSync(join(models, file)), backendOf(file))).toEqual(expectedHeaders[file]);
  }
});

test('every model is refused by the backends that are not its own, by name', () => {
  for (const [file, header] of Object.entries(expectedHeaders)) {
    if (typeof header === 'string') continue;
    for (const backend of backendNames) {
      const { title, backend: own } = modelFormats[header.format];
      if (backend === own) continue;
      expect(() => readModelHeader(join(models, file), backend)).toThrow(
        expect.objectContaining({
          kind: 'other-backend',
          message: `is ${title}, and its backend says ${backend}`,
          hint: `write backend: '${own}', or name another file`,
        }),
      );
    }
  }
});

describe('names of a TensorFlow model', () => {
  const read = (file: string, inputs: readonly string[], outputs: readonly string[]) => {
    const { inputs: found, outputs: given } = readModelHeader(join(models, file), 'TF', { inputs, outputs });
    return [found, given];
  };
  const refusal = (message: string, hint: string) => expect.objectContaining({ kind: 'names', message, hint });

  test('are nodes of a frozen graph, with or without the number of an output', () => {
    expect(read('frozen.pb', ['x:0'], ['Identity_1:0', 'activated'])).toEqual([
      [{ name: 'x:0', dtype: 'FLOAT', shape: [null, 4] }],
      [
        { name: 'Identity_1:0', dtype: 'FLOAT' },
        { name: 'activated', dtype: 'FLOAT' },
      ],
    ]);
    expect(() => read('frozen.pb', ['input'], ['Identity_2', 'y'])).toThrow(
      refusal(
        "has no 'input' (inputs), 'Identity_2' (outputs), 'y' (outputs) in its graph",
        "did you mean 'Identity_1'? its placeholders are: x; its last nodes are: Identity, Identity_1",
      ),
    );
  });

  test('are those of a SavedModel’s signature or of its graph', () => {
    expect(read('saved.zip', ['x'], ['y'])).toEqual([
      [{ name: 'x', dtype: 'FLOAT', shape: [null, 4] }],
      [{ name: 'y', dtype: 'FLOAT', shape: [null, 2] }],
    ]);
    expect(read('saved.zip', ['serving_default_x:0'], ['StatefulPartitionedCall'])).toEqual([
      [{ name: 'serving_default_x:0', dtype: 'FLOAT', shape: [null, 4] }],
      [{ name: 'StatefulPartitionedCall', dtype: 'INT64', shape: [null] }],
    ]);
    expect(() => read('saved.zip', ['x'], ['logits'])).toThrow(
      refusal("has no 'logits' (outputs) in its signature or its graph", 'its inputs are: x; its outputs are: best, y'),
    );
  });

  test('are shown without control characters that a file may bring', () => {
    const node = (name: string) => field(1, Buffer.concat([field(1, name), field(2, 'Placeholder')]));
    const graph = node('\u001b[2Jx');
    expect(() => readModelHeader(graph, 'TF', { inputs: ['y'], outputs: ['y'] })).toThrow(
      expect.objectContaining({ hint: 'its placeholders are: \\u001b[2Jx; its last nodes are: none' }),
    );
  });
});

describe('files that people take for models', () => {
  const zeros = Buffer.alloc(8);
  test.each([
    ['', 'malformed: is no TORCH model: it is empty'],
    [
      'version https://git-lfs.github.com/spec/v1\n',
      'malformed: is no TORCH model: it is a pointer of Git LFS, not the model',
    ],
    ['<!DOCTYPE html>', 'malformed: is no TORCH model: it is a web page'],
    [
      '\x89HDF\r\n\x1a\n',
      'malformed: is no TORCH model: it is in the format HDF5, in which Keras keeps models or weights',
    ],
    [
      `\x40${zeros.subarray(1)}{"__metadata__":{}}`,
      'malformed: is no TORCH model: it is a file of weights without a model (safetensors)',
    ],
    [
      '\x80\x04\x95',
      'pickle: is a pickle (torch.save, pickle.dump, joblib.dump), which no store reads: a pickle can run any code',
    ],
    ['this is no model', 'malformed: is no TORCH model: it is no zip archive, which both formats of PyTorch are'],
    ['\x1c\0\0\0ET12', 'malformed: is no TORCH model: it is a program of ExecuTorch'],
  ])('%j', (text, refusal) => {
    expect(readOrRefuse(Buffer.from(text, 'latin1'), 'TORCH')).toBe(refusal);
  });

  test('saved_model.pb without its folder', () => {
    const savedModel = Buffer.concat([field(1, 1), field(2, field(1, 'x'.repeat(100)))]);
    expect(readOrRefuse(savedModel, 'TF')).toBe(
      'malformed: is no TF model: it is saved_model.pb alone, without its variables',
    );
  });

  test('a model of ONNX Runtime’s own format is taken, and tells nothing', () => {
    expect(readModelHeader(Buffer.from('\x18\0\0\0ORTM', 'latin1'), 'ONNX')).toEqual({ format: 'ORT' });
  });
});
