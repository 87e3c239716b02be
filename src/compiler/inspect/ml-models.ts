import { basename } from 'node:path';
import type { Problems } from '../../diagnostics/index.js';
import type { MlModelDeclaration } from '../../ir/index.js';
import { backends } from '../../ml/backends.js';
import { type Artifact, type Artifacts, accessOf, bytesArtifact } from './artifact.js';
import { existingFile } from './existing-file.js';
import { type OnnxGraph, readOnnxGraph } from './onnx.js';
import { ExternalDataError, type WholeModel, withExternalData } from './onnx-external-data.js';

/** An ML model's bytes; of an ONNX model its inputs and outputs too. */
export interface InspectedModel {
  readonly artifact: Artifact;
  readonly graph?: OnnxGraph;
}

/** An ONNX model as it was read: its inputs and outputs, and the whole of it where its file is a part only. */
interface OnnxModel {
  readonly graph: OnnxGraph;
  readonly whole: WholeModel | undefined;
}

/** Reads the ML models of a workflow, each file or array of bytes once. */
export class ModelInspector {
  readonly #folder: string;
  readonly #artifacts: Artifacts;
  readonly #problems: Problems;
  readonly #models = new Map<string | Uint8Array, OnnxModel | Error>();
  readonly #artifactsOfBytes = new Map<string, Map<Uint8Array, Artifact>>();

  /** Relative paths are taken from `folder`. */
  constructor(folder: string, artifacts: Artifacts, problems: Problems) {
    this.#folder = folder;
    this.#artifacts = artifacts;
    this.#problems = problems;
  }

  inspect(model: MlModelDeclaration): InspectedModel | undefined {
    const { source, backend, name } = model;
    const call = `.addMlModel('${name}')`;
    const given =
      source.kind === 'bytes' ? source.bytes : existingFile(source.path, call, model.at, this.#folder, this.#problems);
    if (given === undefined) return undefined;
    if (backend !== 'ONNX') return { artifact: this.#artifact(given, artifactName(name, backends[backend].extension)) };
    const read = this.#read(given);
    const what = typeof given === 'string' ? given : 'its bytes';
    if (read instanceof ExternalDataError) {
      this.#problems.error('ML1004', `${call}: ${what}: ${read.message}`, model.at, read.hint);
      return undefined;
    }
    if (read instanceof Error) {
      const hint = "export the model to the ONNX format, or name the file's own backend";
      this.#problems.error('ML1001', `${call}: ${what} is no ONNX model: ${read.message}`, model.at, hint);
      return undefined;
    }
    const { graph, whole } = read;
    const fileName = typeof given === 'string' ? basename(given) : artifactName(name, backends.ONNX.extension);
    if (whole === undefined) return { artifact: this.#artifact(given, fileName), graph };
    // Nobody can read the whole who may not read its parts.
    const parts = [...(typeof given === 'string' ? [given] : []), ...whole.dataFiles];
    const access = parts.map(accessOf).reduce((all, one) => all & one);
    return { artifact: this.#artifact(whole.bytes, fileName, access), graph };
  }

  #read(given: string | Uint8Array): OnnxModel | Error {
    let model = this.#models.get(given);
    if (model === undefined) {
      model = readModel(given);
      this.#models.set(given, model);
    }
    return model;
  }

  #artifact(given: string | Uint8Array, name: string, access?: number): Artifact {
    if (typeof given === 'string') return this.#artifacts.ofFile(given);
    const named = this.#artifactsOfBytes.get(name) ?? new Map<Uint8Array, Artifact>();
    this.#artifactsOfBytes.set(name, named);
    const artifact = named.get(given) ?? bytesArtifact(name, given, access);
    named.set(given, artifact);
    return artifact;
  }
}

function readModel(given: string | Uint8Array): OnnxModel | Error {
  try {
    return { graph: readOnnxGraph(given), whole: withExternalData(given) };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A file name made of a name that may hold any character. */
export function artifactName(name: string, extension: string): string {
  return `${name.replace(/[^\w.-]/g, '_')}${extension}`;
}
