import { ClientError } from '../client-error.js';
import type { Dataset } from '../dataset.js';
import { type Tensor, tensor } from '../tensor.js';
import { hasTargets, type TrainingInfo } from './info.js';

/** Samples, and their targets if they have some. The first dimension counts samples. */
export interface TrainingBatch {
  readonly samples: Tensor;
  readonly targets?: Tensor;
}

/** The batch in a data set. @throws ClientError if it has other tensors */
export function batchOf(dataset: Dataset, info: TrainingInfo): TrainingBatch {
  const has = dataset.tensorNames;
  for (const name of hasTargets(info) ? [info.sampleName, info.targetName] : [info.sampleName]) {
    if (!has.includes(name)) {
      throw new ClientError(
        `the data set ${dataset.name} has no tensor '${name}', but ${has.join(', ')}: say sampleName and targetName, or let the producer publish them`,
      );
    }
  }
  const samples = dataset.getTensor(info.sampleName);
  if (info.targetName === info.sampleName) return { samples, targets: samples };
  return hasTargets(info) ? { samples, targets: dataset.getTensor(info.targetName) } : { samples };
}

/** Batches of one size of the samples of others, in their order; `rest` is what is too little for one more. */
export class Regrouping {
  readonly #size: number;
  #parts: TrainingBatch[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  *add(batch: TrainingBatch): Generator<TrainingBatch> {
    this.#parts.push(batch);
    const whole = joined(this.#parts);
    const count = countOf(whole);
    let start = 0;
    for (; start + this.#size <= count; start += this.#size) yield rows(whole, start, start + this.#size);
    this.#parts = start === count ? [] : [rows(whole, start, count)];
  }

  get rest(): TrainingBatch | undefined {
    return this.#parts[0] === undefined ? undefined : joined(this.#parts);
  }
}

function countOf({ samples }: TrainingBatch): number {
  return samples.shape[0] ?? 0;
}

function rows({ samples, targets }: TrainingBatch, start: number, end: number): TrainingBatch {
  return { samples: slice(samples, start, end), ...(targets !== undefined && { targets: slice(targets, start, end) }) };
}

function slice({ data, shape: [count = 1, ...row] }: Tensor, start: number, end: number): Tensor {
  const width = data.length / count;
  return tensor(data.slice(start * width, end * width), [end - start, ...row]) as Tensor;
}

function joined(parts: readonly TrainingBatch[]): TrainingBatch {
  const targets = parts.flatMap((part) => part.targets ?? []);
  return {
    samples: concatenate(parts.map(({ samples }) => samples)),
    ...(targets.length > 0 && { targets: concatenate(targets) }),
  };
}

/** One tensor of the rows of several. @throws ClientError if their types or their rows' shapes differ */
function concatenate(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new ClientError('there are no tensors');
  if (tensors.length === 1) return first;
  const row = first.shape.slice(1);
  for (const { dtype, shape } of tensors) {
    if (dtype !== first.dtype || shape.slice(1).join() !== row.join()) {
      throw new ClientError(
        `a batch of ${dtype} [${shape.join(', ')}] does not go with one of ${first.dtype} [${first.shape.join(', ')}]`,
      );
    }
  }
  const whole = new (
    first.data.constructor as new (
      length: number,
    ) => { set(from: unknown, at: number): void } & Tensor['data']
  )(tensors.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of tensors) {
    whole.set(data, at);
    at += data.length;
  }
  return tensor(whole, [tensors.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0), ...row]) as Tensor;
}
