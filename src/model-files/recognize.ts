import { Archive } from './archive.js';
import { MalformedError } from './errors.js';
import { exportedGraph } from './exported-program.js';
import type { ModelFormat } from './header.js';
import { fields } from './protobuf.js';
import { hasAt, type Reader } from './reader.js';

/** Files that people take for models. */
export type ForeignFile = keyof typeof foreignFiles;

/** Other kinds of files, and the way to make a model of them. */
export const foreignFiles = {
  empty: { title: 'empty', hint: 'export the model again' },
  'git-lfs': { title: 'a pointer of Git LFS, not the model', hint: 'run git lfs pull' },
  pickle: { title: 'a pickle (torch.save, pickle.dump, joblib.dump)' },
  module: { title: 'a pickled module (torch.save)' },
  weights: { title: 'a file of weights without a model (torch.save of a state_dict)' },
  safetensors: { title: 'a file of weights without a model (safetensors)' },
  keras: { title: 'a model in the format of Keras' },
  hdf5: { title: 'in the format HDF5, in which Keras keeps models or weights' },
  'graph-text': {
    title: 'a TensorFlow graph as text',
    hint: "write it in binary: tf.io.write_graph(graph, folder, 'net.pb', as_text=False)",
  },
  'saved-model-graph': {
    title: 'saved_model.pb alone, without its variables',
    hint: 'zip the whole folder of the SavedModel, and name the zip',
  },
  'compiled-program': {
    title: 'a compiled program of PyTorch (AOTInductor)',
    hint: "save it uncompiled: torch.export.save(program, 'net.pt2')",
  },
  executorch: {
    title: 'a program of ExecuTorch',
    hint: "save it before lowering: torch.export.save(program, 'net.pt2')",
  },
  html: { title: 'a web page', hint: 'download the model itself' },
  zip: { title: 'a zip archive of something else' },
} as const satisfies Readonly<Record<string, { readonly title: string; readonly hint?: string }>>;

/** Content of a file: a format of models, a known foreign file, or neither. `archive` is there for zip archives. */
export interface Recognized {
  readonly format?: ModelFormat;
  readonly foreign?: ForeignFile;
  readonly archive?: Archive;
  /** Name of the file in the archive that holds an exported program's graph. */
  readonly graphFile?: string;
}

/** First bytes of foreign files. */
const beginnings: readonly (readonly [at: number, latin: string, file: ForeignFile])[] = [
  [0, 'version https://git-lfs', 'git-lfs'],
  [0, '\x89HDF\r\n', 'hdf5'],
  [0, '\x80\x02', 'pickle'],
  [0, '\x80\x03', 'pickle'],
  [0, '\x80\x04', 'pickle'],
  [0, '\x80\x05', 'pickle'],
  [4, 'ET12', 'executorch'],
  [8, '{"', 'safetensors'],
  [0, 'node {', 'graph-text'],
  [0, '<!DOCTYPE', 'html'],
  [0, '<!doctype', 'html'],
  [0, '<html', 'html'],
];

/** Tells by its content what a file is. @throws MalformedError for a zip archive that is cut short or damaged */
export function recognize(reader: Reader): Recognized {
  if (reader.size === 0) return { foreign: 'empty' };
  if (hasAt(reader, 0, 'PK\x03\x04') || hasAt(reader, 0, 'PK\x05\x06')) return recognizeArchive(new Archive(reader));
  if (hasAt(reader, 4, 'TFL3')) return { format: 'TFLite' };
  if (hasAt(reader, 4, 'ORTM')) return { format: 'ORT' };
  const begun = beginnings.find(([at, latin]) => hasAt(reader, at, latin));
  return begun === undefined ? recognizeProtobuf(reader) : { foreign: begun[2] };
}

function recognizeArchive(archive: Archive): Recognized {
  const graphFile = exportedGraph(archive);
  if (graphFile !== undefined) return { format: 'ExportedProgram', archive, graphFile };
  if (archive.hasFolder('code/') && archive.has('data.pkl')) return { format: 'TorchScript', archive };
  if (archive.folderOf('saved_model.pb') !== undefined) return { format: 'SavedModel', archive };
  if (archive.hasFolder('data/aotinductor/')) return { foreign: 'compiled-program' };
  if (archive.has('config.json') && archive.has('model.weights.h5')) return { foreign: 'keras' };
  if (archive.has('data.pkl')) return { foreign: pickled(archive) };
  return { foreign: 'zip' };
}

/** Kind of object in a file of torch.save, by the first thing that the pickle makes: a class's instance, or a mapping of weights. */
function pickled(archive: Archive): ForeignFile {
  const start = archive.read('data.pkl', 64)?.subarray(2).toString('latin1') ?? '';
  if (/^(\}|ccollections\nOrderedDict\n)/.test(start)) return 'weights';
  return start.startsWith('c') ? 'module' : 'pickle';
}

/** The three kinds of protobuf messages that models are in, by the fields that come first. */
function recognizeProtobuf(reader: Reader): Recognized {
  try {
    let hasVersion = false;
    let hasMetaGraph = false;
    for (const field of fields(reader, 0, reader.size)) {
      if (field.number === 1 && field.wire === 2) return isNode(reader, field) ? { format: 'GraphDef' } : {};
      if (field.number === 1 && field.wire === 0) hasVersion = true;
      if (field.number === 7 && field.wire === 2 && hasVersion) return { format: 'ONNX' };
      if (field.number === 2 && field.wire === 2) hasMetaGraph = field.end - field.start > 64;
    }
    return hasVersion && hasMetaGraph ? { foreign: 'saved-model-graph' } : {};
  } catch (error) {
    if (error instanceof MalformedError) return {};
    throw error;
  }
}

/** True if a message has a name (1) and an operation (2), as each node of a graph has. */
function isNode(reader: Reader, message: { readonly start: number; readonly end: number }): boolean {
  const numbers = new Set<number>();
  for (const { number, wire } of fields(reader, message.start, message.end)) if (wire === 2) numbers.add(number);
  return numbers.has(1) && numbers.has(2);
}
