import { ClientError, MissingDataset } from './client-error.js';
import { decodeField, encodeField, type MetaType, type MetaValues } from './metadata.js';
import { checkTensor, type Dtype, type Tensor, type TensorOf } from './tensor.js';

/** The field that lists the tensors. */
const tensorNamesField = '.tensor_names';
/** Field that is set once everything has been written. */
export const completeField = '.COMPLETE';

/** Tensors and metadata under one name. */
export class Dataset {
  readonly name: string;
  readonly #tensors = new Map<string, Tensor>();
  readonly #meta = new Map<string, MetaValues>();

  constructor(name: string) {
    this.name = name;
  }

  get tensorNames(): string[] {
    return [...this.#tensors.keys()];
  }

  get metadataNames(): string[] {
    return [...this.#meta.keys()];
  }

  /** @throws ClientError if the name is taken */
  addTensor(name: string, value: Tensor): this {
    if (this.#tensors.has(name)) throw new ClientError(`the data set '${this.name}' has a tensor '${name}' already`);
    checkTensor(value);
    this.#tensors.set(name, value);
    return this;
  }

  /** A tensor; with a type it must be of that type. @throws ClientError */
  getTensor(name: string): Tensor;
  getTensor<D extends Dtype>(name: string, dtype: D): TensorOf<D>;
  getTensor(name: string, dtype?: Dtype): Tensor {
    const value = this.#tensors.get(name);
    if (value === undefined) throw new ClientError(`the data set '${this.name}' has no tensor '${name}'`);
    if (dtype !== undefined && value.dtype !== dtype) {
      throw new ClientError(`the tensor '${name}' has the type ${value.dtype}, not ${dtype}`);
    }
    return value;
  }

  /** Adds a number to the field of that name. Default type: DOUBLE, for a bigint INT64. @throws ClientError */
  addMetaScalar(field: string, value: number | bigint, type?: Exclude<MetaType, 'STRING'>): this {
    this.#addMeta(field, type ?? (typeof value === 'bigint' ? 'INT64' : 'DOUBLE'), value);
    return this;
  }

  /** Adds a text to the field of that name. @throws ClientError */
  addMetaString(field: string, value: string): this {
    this.#addMeta(field, 'STRING', value);
    return this;
  }

  /** The numbers of a field; 64-bit integers are bigints. @throws ClientError */
  getMetaScalars(field: string): (number | bigint)[] {
    return this.#metaOf(field).values.map((value) => {
      if (typeof value !== 'string') return value;
      throw new ClientError(`the field '${field}' of the data set '${this.name}' holds texts`);
    });
  }

  /** The texts of a field. @throws ClientError */
  getMetaStrings(field: string): string[] {
    return this.#metaOf(field).values.map((value) => {
      if (typeof value === 'string') return value;
      throw new ClientError(`the field '${field}' of the data set '${this.name}' holds numbers`);
    });
  }

  /** Type of a field, undefined if there is no such field. */
  metadataType(field: string): MetaType | undefined {
    return this.#meta.get(field)?.type;
  }

  /** The fields of the hash and their values in turn. @throws ClientError if there is nothing in the data set */
  hashWords(): (string | Buffer)[] {
    const words: (string | Buffer)[] = [];
    for (const [field, values] of this.#meta) words.push(field, encodeField(values));
    if (this.#tensors.size > 0) {
      words.push(tensorNamesField, encodeField({ type: 'STRING', values: this.tensorNames }));
    }
    if (words.length === 0) throw new ClientError(`the data set '${this.name}' is empty`);
    return words;
  }

  #addMeta(field: string, type: MetaType, value: number | bigint | string): void {
    if (field === tensorNamesField || field === completeField) {
      throw new ClientError(`a field cannot be named '${field}': the clients use that themselves`);
    }
    const before = this.#meta.get(field);
    if (before !== undefined && before.type !== type) {
      throw new ClientError(`the field '${field}' has the type ${before.type}, not ${type}`);
    }
    encodeField({ type, values: [value] });
    this.#meta.set(field, { type, values: [...(before?.values ?? []), value] });
  }

  #metaOf(field: string): MetaValues {
    const values = this.#meta.get(field);
    if (values === undefined) throw new ClientError(`the data set '${this.name}' has no field '${field}'`);
    return values;
  }

  /** The metadata that `HGETALL` gives as a data set, and the names of the tensors it is to have. @throws ClientError */
  static ofReply(name: string, reply: unknown): { readonly dataset: Dataset; readonly tensorNames: readonly string[] } {
    const words = Array.isArray(reply) ? (reply as Buffer[]) : [];
    if (words.length === 0) throw new MissingDataset(name);
    const dataset = new Dataset(name);
    let tensorNames: readonly string[] = [];
    for (let at = 0; at + 1 < words.length; at += 2) {
      const field = String(words[at]);
      if (field === completeField) continue;
      const values = decodeField(words[at + 1] as Buffer, field);
      if (field === tensorNamesField) tensorNames = values.values.map(String);
      else dataset.#meta.set(field, values);
    }
    return { dataset, tensorNames };
  }
}
