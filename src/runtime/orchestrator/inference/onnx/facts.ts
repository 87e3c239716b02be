import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MalformedError } from '../../../../model-files/errors.js';
import { type Field, fields } from '../../../../model-files/protobuf.js';
import { BytesReader } from '../../../../model-files/reader.js';
import type { ModelTraits } from '../backend.js';
import { InferenceError } from '../inference-error.js';

/** Operators that repeat something as often as a value says. */
const repeating: ReadonlySet<string> = new Set(['Loop', 'BeamSearch', 'GreedySearch', 'Sampling', 'WhisperBeamSearch']);

/** Operators whose output is as large as the values of these inputs say. */
const sizing: Readonly<Record<string, readonly number[]>> = {
  Range: [0, 1, 2],
  Expand: [1],
  Tile: [1, 2],
  ConstantOfShape: [0],
  Resize: [1, 2, 3],
  Upsample: [1],
  Pad: [1],
  OneHot: [1],
  MaxUnpool: [2],
  CenterCropPad: [1],
  AffineGrid: [1],
  Col2Im: [1, 2],
  BlackmanWindow: [0],
  HannWindow: [0],
  HammingWindow: [0],
  MelWeightMatrix: [0, 1, 2],
  DFT: [1],
  STFT: [1, 3],
};

/** The most messages within each other, which is protobuf's own limit. */
const maxDepth = 100;
const fieldsAtOnce = 512;
const turnMs = 5;
/** ONNX Runtime's own format, which has no place for data elsewhere. */
const ownFormat = Buffer.from('ORTM');

/**
 * Looks through a model, some of it a turn of the event loop.
 * @throws InferenceError if it is no protobuf message, or a tensor's data lie in another file: ONNX Runtime would read any
 *   file below the working directory, which whoever sends a model has no business with
 */
export async function onnxFacts(bytes: Uint8Array): Promise<ModelTraits> {
  if (Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(8, bytes.length)).subarray(4).equals(ownFormat)) {
    return { isUnbounded: true, dependsOnValues: true };
  }
  const facts = { isUnbounded: false, dependsOnValues: false };
  try {
    let until = performance.now() + turnMs;
    let seen = 0;
    for (const _ of modelFields(new Look(bytes, facts))) {
      seen += 1;
      if (seen % fieldsAtOnce !== 0 || performance.now() < until) continue;
      await nextTurn();
      until = performance.now() + turnMs;
    }
  } catch (error) {
    if (error instanceof MalformedError)
      throw new InferenceError('model', 'Failed to load model because protobuf parsing failed.');
    throw error;
  }
  return facts;
}

type Facts = { -readonly [Name in keyof ModelTraits]: ModelTraits[Name] };

/** Yields with each field that was looked at. */
type Walk = Generator<undefined, void>;

/** The bytes of a model and what has been found in them. Field numbers are those of onnx.proto. */
class Look {
  readonly #reader: BytesReader;

  constructor(
    readonly bytes: Uint8Array,
    readonly facts: Facts,
  ) {
    this.#reader = new BytesReader(bytes);
  }

  text({ start, end }: Field): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, Math.min(end - start, 256)).toString('latin1');
  }

  /** Messages in a message by their field's number. */
  *within(parent: { start: number; end: number }, depth: number, visit: (field: Field) => Walk | undefined): Walk {
    if (depth > maxDepth) throw new MalformedError('messages lie too deep in each other');
    for (const field of fields(this.#reader, parent.start, parent.end)) {
      yield;
      const walk = visit(field);
      if (walk !== undefined) yield* walk;
    }
  }
}

/** graph = 7, training_info = 20 (initialization = 1, algorithm = 2), functions = 25. */
function modelFields(look: Look): Walk {
  return look.within({ start: 0, end: look.bytes.length }, 1, (field) => {
    if (field.wire !== 2) return undefined;
    if (field.number === 7) return graph(look, field, 2);
    if (field.number === 25) return functionFields(look, field, 2);
    if (field.number !== 20) return undefined;
    return look.within(field, 2, (inner) =>
      inner.wire === 2 && inner.number <= 2 ? graph(look, inner, 3) : undefined,
    );
  });
}

/** node = 1, initializer = 5 (name = 8), sparse_initializer = 15. */
function* graph(look: Look, message: Field, depth: number): Walk {
  const constants = new Set<string>();
  const sizes: string[] = [];
  yield* look.within(message, depth, (field) => {
    if (field.wire !== 2) return undefined;
    if (field.number === 1) return node(look, field, depth + 1, constants, sizes);
    if (field.number === 5) return tensor(look, field, depth + 1, constants);
    return field.number === 15 ? sparseTensor(look, field, depth + 1) : undefined;
  });
  if (sizes.some((name) => !constants.has(name))) look.facts.dependsOnValues = true;
}

/** node = 7, attribute_proto = 11. */
function* functionFields(look: Look, message: Field, depth: number): Walk {
  const sizes: string[] = [];
  yield* look.within(message, depth, (field) => {
    if (field.wire !== 2) return undefined;
    if (field.number === 7) return node(look, field, depth + 1, new Set(), sizes);
    return field.number === 11 ? attribute(look, field, depth + 1) : undefined;
  });
  if (sizes.length > 0) look.facts.dependsOnValues = true;
}

/** input = 1, output = 2, op_type = 4, attribute = 5. */
function* node(look: Look, message: Field, depth: number, constants: Set<string>, sizes: string[]): Walk {
  const inputs: string[] = [];
  const outputs: string[] = [];
  let operator = '';
  yield* look.within(message, depth, (field) => {
    if (field.wire !== 2) return undefined;
    if (field.number === 1) inputs.push(look.text(field));
    else if (field.number === 2) outputs.push(look.text(field));
    else if (field.number === 4) operator = look.text(field);
    return field.number === 5 ? attribute(look, field, depth + 1) : undefined;
  });
  if (repeating.has(operator)) {
    look.facts.isUnbounded = true;
    look.facts.dependsOnValues = true;
  }
  if (operator === 'Constant') for (const output of outputs) constants.add(output);
  for (const input of Object.hasOwn(sizing, operator) ? (sizing[operator] ?? []) : []) {
    const name = inputs[input];
    if (name !== undefined && name !== '') sizes.push(name);
  }
}

/** t = 5, g = 6, tensors = 10, graphs = 11, sparse_tensor = 22, sparse_tensors = 23. */
function attribute(look: Look, message: Field, depth: number): Walk {
  return look.within(message, depth, (field) => {
    if (field.wire !== 2) return undefined;
    if (field.number === 5 || field.number === 10) return tensor(look, field, depth + 1);
    if (field.number === 6 || field.number === 11) return graph(look, field, depth + 1);
    return field.number === 22 || field.number === 23 ? sparseTensor(look, field, depth + 1) : undefined;
  });
}

/** values = 1, indices = 2. */
function sparseTensor(look: Look, message: Field, depth: number): Walk {
  return look.within(message, depth, (field) =>
    field.wire === 2 && field.number <= 2 ? tensor(look, field, depth + 1) : undefined,
  );
}

/** name = 8, external_data = 13, data_location = 14 (0 is here). */
function tensor(look: Look, message: Field, depth: number, names?: Set<string>): Walk {
  return look.within(message, depth, (field) => {
    const elsewhere = field.number === 14 && field.wire === 0 && field.value !== 0;
    if (elsewhere || (field.number === 13 && field.wire === 2)) {
      throw new InferenceError('model', 'Initializer tensors with external data is not allowed.');
    }
    if (field.number === 8 && field.wire === 2) names?.add(look.text(field));
    return undefined;
  });
}
