import type { ModelHeader } from '../../../src/model-files/index.js';

const x = { name: 'x', dtype: 'FLOAT' } as const;
const refused = 'which no store reads: a pickle can run any code';

const saved: ModelHeader = {
  format: 'SavedModel',
  inputs: [{ ...x, shape: [null, 4] }],
  outputs: [
    { name: 'best', dtype: 'INT64', shape: [null] },
    { name: 'y', dtype: 'FLOAT', shape: [null, 2] },
  ],
};

/** Headers of the models of `make.py`, or the reasons for which they are refused. */
export const expectedHeaders: Readonly<Record<string, ModelHeader | string>> = {
  'exported-both.pt2': {
    format: 'ExportedProgram',
    inputs: [
      { ...x, shape: [2, 3] },
      { name: 'y', dtype: 'INT64', shape: [2, 3] },
    ],
    outputs: [
      { name: 'add', dtype: 'FLOAT', shape: [2, 3] },
      { name: 'mul', dtype: 'FLOAT', shape: [2, 3] },
    ],
  },
  'exported-half.pt2': {
    format: 'ExportedProgram',
    inputs: [
      { name: 'x', dtype: 'float16', shape: [1, 3] },
      { name: 'y', dtype: 'float16', shape: [1, 3] },
    ],
    outputs: [
      { name: 'add', dtype: 'float16', shape: [1, 3] },
      { name: 'mul', dtype: 'float16', shape: [1, 3] },
    ],
  },
  'exported-old.pt2': {
    format: 'ExportedProgram',
    inputs: [{ ...x, shape: [null, 4] }],
    outputs: [{ name: 'relu', dtype: 'FLOAT', shape: [null, 2] }],
  },
  'exported-uint16.pt2': {
    format: 'ExportedProgram',
    inputs: [{ name: 'x', dtype: 'UINT16', shape: [2, 3] }],
    outputs: [{ name: 'mul', dtype: 'FLOAT', shape: [2, 3] }],
  },
  'exported.pt2': {
    format: 'ExportedProgram',
    inputs: [{ ...x, shape: [null, 4] }],
    outputs: [{ name: 'relu', dtype: 'FLOAT', shape: [null, 2] }],
  },
  'frozen.pb': {
    format: 'GraphDef',
    inputs: [{ ...x, shape: [null, 4] }],
    outputs: [
      { name: 'Identity', dtype: 'INT64' },
      { name: 'Identity_1', dtype: 'FLOAT' },
    ],
  },
  'frozen.pbtxt': 'malformed: is no TF model: it is a TensorFlow graph as text',
  'frozen.pt': { format: 'TorchScript', inputs: [{ name: 'x' }], outputs: [{}] },
  'legacy.pt': `pickle: is a pickle (torch.save, pickle.dump, joblib.dump), ${refused}`,
  'module.pt': `pickle: is a pickled module (torch.save), ${refused}`,
  'net.tflite': {
    format: 'TFLite',
    inputs: [{ name: 'serving_default_x:0', dtype: 'FLOAT', shape: [null, 4] }],
    outputs: [
      { name: 'StatefulPartitionedCall:0', dtype: 'INT64', shape: [null] },
      { name: 'StatefulPartitionedCall:1', dtype: 'FLOAT', shape: [null, 2] },
    ],
  },
  'saved-deep.zip': saved,
  'saved.zip': saved,
  // A list may have any number of tensors.
  'scripted-list.pt': { format: 'TorchScript', inputs: [{ name: 'x' }] },
  'scripted-mapping.pt': {
    format: 'TorchScript',
    inputs: [
      { name: 'xs', other: 'List[Tensor]' },
      { name: 'times', other: 'int' },
    ],
    outputs: [{ other: 'Dict[str, Tensor]' }],
  },
  'scripted-pair.pt': {
    format: 'TorchScript',
    inputs: [{ name: 'a' }, { name: 'b' }, { name: 'scale' }],
    outputs: [{}, {}],
  },
  'state-dict.pt': `pickle: is a file of weights without a model (torch.save of a state_dict), ${refused}`,
  'traced-both.pt': {
    format: 'TorchScript',
    inputs: [
      { name: 'x', example: { dtype: 'FLOAT', shape: [2] } },
      { name: 'y', example: { dtype: 'FLOAT', shape: [2] } },
    ],
    outputs: [{}, {}],
  },
  'traced.pt': {
    format: 'TorchScript',
    inputs: [{ name: 'x', example: { dtype: 'FLOAT', shape: [3, 4] } }],
    outputs: [{}],
  },
};
