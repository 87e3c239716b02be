import type { BackendName } from '../ml/backends.js';
import { MalformedError, ModelFileError, TooLargeError } from './errors.js';
import { readExportedProgram } from './exported-program.js';
import { type GraphNames, type ModelFormat, type ModelHeader, modelFormats } from './header.js';
import { readOnnx } from './onnx.js';
import { type Reader, withReader } from './reader.js';
import { type ForeignFile, foreignFiles, type Recognized, recognize } from './recognize.js';
import { readGraphDef, readSavedModel } from './tensorflow.js';
import { readTfLite } from './tflite.js';
import { readTorchScript } from './torchscript.js';

export { MalformedError, ModelFileError, type RefusalKind } from './errors.js';
export type { Dimension, GraphNames, ModelDtype, ModelFormat, ModelHeader, TensorHeader } from './header.js';
export { foreignDtypes, modelFormats } from './header.js';

/** Ways to export a model, by backend. */
const exporting: Readonly<Record<BackendName, string>> = {
  ONNX: "export it: torch.onnx.export(model, inputs, 'net.onnx'), or skl2onnx.to_onnx(model, inputs)",
  TORCH:
    "export it: torch.jit.trace(model, inputs).save('net.pt'), or torch.export.save(torch.export.export(model, inputs), 'net.pt2')",
  TF: "freeze its graph (convert_variables_to_constants_v2), or zip the folder of model.export('net')",
  TFLITE: 'convert it: tf.lite.TFLiteConverter.from_keras_model(model).convert()',
};

/**
 * Inputs and outputs of a model's file, or of its bytes. Its weights are not loaded: a file of any size costs milliseconds.
 *
 * @throws ModelFileError if it is no model of that backend, or does not have one of the names
 */
export function readModelHeader(
  source: string | Uint8Array,
  backend: BackendName,
  names: GraphNames = {},
): ModelHeader {
  return withReader(source, (reader) => {
    let recognized: Recognized = {};
    try {
      recognized = recognize(reader);
      const { format, foreign } = recognized;
      if (format !== undefined && modelFormats[format].backend !== backend) throw ofOtherBackend(format, backend);
      if (foreign !== undefined) throw ofNoBackend(foreign, backend);
      return readFormat(format ?? expectedFormat[backend], recognized, reader, names);
    } catch (error) {
      if (error instanceof MalformedError) throw damaged(error.message, recognized.format, backend);
      // A file may be right whose header is larger than any that we know.
      if (error instanceof TooLargeError) return { format: recognized.format ?? expectedFormat[backend] };
      throw error;
    }
  });
}

/** Format that tells why a file of no known content is no model. */
const expectedFormat: Readonly<Record<BackendName, ModelFormat>> = {
  ONNX: 'ONNX',
  TORCH: 'TorchScript',
  TF: 'GraphDef',
  TFLITE: 'TFLite',
};

function readFormat(format: ModelFormat, recognized: Recognized, reader: Reader, names: GraphNames): ModelHeader {
  const { archive, graphFile } = recognized;
  switch (format) {
    case 'ONNX':
      return readOnnx(reader);
    case 'ORT':
      return { format };
    case 'GraphDef':
      return readGraphDef(reader, names);
    case 'TFLite':
      if (recognized.format === undefined) throw new MalformedError('it does not have TFL3 as its bytes 4 to 7');
      return readTfLite(reader);
    default:
  }
  if (archive === undefined) throw new MalformedError('it is no zip archive, which both formats of PyTorch are');
  if (format === 'SavedModel') return readSavedModel(archive, names);
  return graphFile === undefined ? readTorchScript(archive) : readExportedProgram(archive, graphFile);
}

function ofOtherBackend(format: ModelFormat, backend: BackendName): ModelFileError {
  const { title, backend: own } = modelFormats[format];
  const message = `is ${title}, and its backend says ${backend}`;
  return new ModelFileError('other-backend', message, `write backend: '${own}', or name another file`);
}

function ofNoBackend(foreign: ForeignFile, backend: BackendName): ModelFileError {
  const { title, hint = exporting[backend] }: { title: string; hint?: string } = foreignFiles[foreign];
  const isPickle = foreign === 'pickle' || foreign === 'module' || foreign === 'weights';
  if (isPickle) {
    return new ModelFileError('pickle', `is ${title}, which no store reads: a pickle can run any code`, hint);
  }
  return new ModelFileError('malformed', `is no ${backend} model: it is ${title}`, hint);
}

function damaged(reason: string, format: ModelFormat | undefined, backend: BackendName): ModelFileError {
  const hint =
    format === undefined ? `${exporting[backend]}, or name the file's own backend` : 'export or copy it again';
  return new ModelFileError('malformed', `is no ${backend} model: ${reason}`, hint);
}
