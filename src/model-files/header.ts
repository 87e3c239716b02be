import type { BackendName } from '../ml/backends.js';
import type { Dtype } from '../ml/dtypes.js';

/** Element types of frameworks that no tensor of a store has, by the frameworks' names. */
export const foreignDtypes = [
  'float16',
  'bfloat16',
  'uint32',
  'uint64',
  'complex32',
  'complex64',
  'complex128',
  'float8',
  'float4',
  'int4',
  'uint4',
  'int2',
  'uint2',
  'quantized',
  'resource',
  'variant',
  'unknown',
] as const;

/** An element type as a model's file says it: one of a store's tensors, or another one. */
export type ModelDtype = Dtype | (typeof foreignDtypes)[number];

/** Size of a dimension; its name, or null, where each run may bring another size. */
export type Dimension = number | string | null;

/** An input or output of a model, as far as the file tells. All of it can be written as JSON. */
export interface TensorHeader {
  readonly name?: string;
  readonly dtype?: ModelDtype;
  /** Absent where even the number of dimensions is not known. */
  readonly shape?: readonly Dimension[];
  /** A tensor that the model was made with, where its file does not say which others go. */
  readonly example?: { readonly dtype: ModelDtype; readonly shape: readonly number[] };
  /** Kind of a value that is no tensor: `sequence`, `int`, `Dict[str, Tensor]`. */
  readonly other?: string;
}

/** Formats of models' files by their names, each with its backend, a title for sentences and a label for tables. */
export const modelFormats = {
  ONNX: { backend: 'ONNX', title: 'an ONNX model', label: 'ONNX' },
  ORT: { backend: 'ONNX', title: "a model in ONNX Runtime's format", label: 'ONNX Runtime' },
  TorchScript: { backend: 'TORCH', title: 'a TorchScript archive', label: 'TorchScript' },
  ExportedProgram: { backend: 'TORCH', title: 'an exported program of PyTorch', label: 'exported program' },
  GraphDef: { backend: 'TF', title: 'a TensorFlow graph', label: 'TensorFlow graph' },
  SavedModel: { backend: 'TF', title: 'a SavedModel of TensorFlow', label: 'SavedModel' },
  TFLite: { backend: 'TFLITE', title: 'a TensorFlow Lite model', label: 'TensorFlow Lite' },
} as const satisfies Readonly<
  Record<string, { readonly backend: BackendName; readonly title: string; readonly label: string }>
>;

/** Name of a format of models' files. */
export type ModelFormat = keyof typeof modelFormats;

/** Names of all formats. */
export const modelFormatNames = Object.keys(modelFormats) as [ModelFormat, ...ModelFormat[]];

/** Inputs and outputs of a model, read from its file without its weights. All of it can be written as JSON. */
export interface ModelHeader {
  readonly format: ModelFormat;
  /** In the model's order; absent where the file does not say how many there are. */
  readonly inputs?: readonly TensorHeader[];
  readonly outputs?: readonly TensorHeader[];
}

/** Names of inputs and outputs that users give for models whose files do not have them. */
export interface GraphNames {
  readonly inputs?: readonly string[] | undefined;
  readonly outputs?: readonly string[] | undefined;
}
