import { basename } from 'node:path';
import type { ErrorCode, Problems } from '../../diagnostics/index.js';
import type { MlModelDeclaration } from '../../ir/index.js';
import { type BackendName, backends } from '../../ml/backends.js';
import {
  type GraphNames,
  ModelFileError,
  type ModelHeader,
  type RefusalKind,
  readModelHeader,
} from '../../model-files/index.js';
import { type Artifact, type Artifacts, accessOf, bytesArtifact } from './artifact.js';
import { existingFile } from './existing-file.js';
import { ExternalDataError, type WholeModel, withExternalData } from './onnx-external-data.js';

/** An ML model's bytes, and its inputs and outputs. */
export interface InspectedModel {
  readonly artifact: Artifact;
  readonly header: ModelHeader;
}

/** A model as it was read: its inputs and outputs, and the whole of it where its file is a part only. */
interface ReadModel {
  readonly header: ModelHeader;
  readonly whole: WholeModel | undefined;
}

/** Reads the ML models of a workflow, each file or array of bytes once for each way in which it is used. */
export class ModelInspector {
  readonly #folder: string;
  readonly #artifacts: Artifacts;
  readonly #problems: Problems;
  readonly #models = new Map<string | Uint8Array, Map<string, ReadModel | Error>>();
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
    const read = this.#read(given, model);
    if (read instanceof Error) {
      this.#report(read, `${call}: ${typeof given === 'string' ? given : 'the model in memory'}`, model);
      return undefined;
    }
    const { header, whole } = read;
    const fileName = typeof given === 'string' ? basename(given) : artifactName(name, backends[backend].extension);
    if (whole === undefined) return { artifact: this.#artifact(given, fileName), header };
    // Nobody can read the whole who may not read its parts.
    const parts = [...(typeof given === 'string' ? [given] : []), ...whole.dataFiles];
    const access = parts.map(accessOf).reduce((all, one) => all & one);
    return { artifact: this.#artifact(whole.bytes, fileName, access), header };
  }

  #report(error: Error, what: string, { at }: MlModelDeclaration): void {
    if (error instanceof ExternalDataError) {
      this.#problems.error('ML1004', `${what}: ${error.message}`, at, error.hint);
    } else if (error instanceof ModelFileError) {
      this.#problems.error(codes[error.kind], `${what} ${error.message}`, at, error.hint);
    } else {
      this.#problems.error('ML1001', `${what} cannot be read: ${error.message}`, at, 'export the model again');
    }
  }

  #read(given: string | Uint8Array, { backend, inputs, outputs }: MlModelDeclaration): ReadModel | Error {
    const ways = this.#models.get(given) ?? new Map<string, ReadModel | Error>();
    this.#models.set(given, ways);
    const way = JSON.stringify([backend, inputs, outputs]);
    const model = ways.get(way) ?? readModel(given, backend, { inputs, outputs });
    ways.set(way, model);
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

/** Codes of files that are no model. */
const codes: Readonly<Record<RefusalKind, ErrorCode>> = {
  malformed: 'ML1001',
  'other-backend': 'ML1006',
  names: 'ML1007',
  pickle: 'ML1008',
};

function readModel(given: string | Uint8Array, backend: BackendName, names: GraphNames): ReadModel | Error {
  try {
    const header = readModelHeader(given, backend, names);
    return { header, whole: header.format === 'ONNX' ? withExternalData(given) : undefined };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** A file name made of a name that may hold any character. */
export function artifactName(name: string, extension: string): string {
  return `${name.replace(/[^\w.-]/g, '_')}${extension}`;
}
