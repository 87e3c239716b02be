import { setTimeout as sleep } from 'node:timers/promises';
import { slotOf } from '../../slots.js';
import { ClientError } from '../client-error.js';
import type { Word } from '../connection.js';
import type { KeyNames } from '../key-names.js';
import type { Shards } from '../shards.js';
import { bytesOf, checkTensor, type Dtype, type Tensor, type TensorOf, tensorOfReply } from '../tensor.js';

/** How to wait for a key. */
export interface PollOptions {
  /** Pause after each miss, in milliseconds. */
  readonly intervalMs: number;
  readonly attempts: number;
}

/** Calls about tensors and keys. */
export abstract class TensorCalls {
  protected readonly shards: Shards;
  protected readonly names: KeyNames;

  protected constructor(shards: Shards, names: KeyNames) {
    this.shards = shards;
    this.names = names;
  }

  /** Stores a tensor. Its array must stay as it is until the promise settles. */
  async putTensor(name: string, value: Tensor): Promise<void> {
    await this.storeTensor(this.names.written('tensor', name), value);
  }

  /** Reads a tensor; with a type it must be of that type. */
  async getTensor(name: string): Promise<Tensor>;
  async getTensor<D extends Dtype>(name: string, dtype: D): Promise<TensorOf<D>>;
  async getTensor(name: string, dtype?: Dtype): Promise<Tensor> {
    const value = await this.fetchTensor(this.names.read('tensor', name));
    if (dtype !== undefined && value.dtype !== dtype) {
      throw new ClientError(`the tensor '${name}' has the type ${value.dtype}, not ${dtype}`);
    }
    return value;
  }

  /** Deletes a tensor; one that is not there is no error. */
  async deleteTensor(name: string): Promise<void> {
    await this.deleteKey(this.names.read('tensor', name));
  }

  /** Renames a tensor; the new key gets the prefix that is written with. */
  async renameTensor(name: string, newName: string): Promise<void> {
    const [from, to] = [this.names.read('tensor', name), this.names.written('tensor', newName)];
    if (!this.shards.several || slotOf(from) === slotOf(to)) {
      await this.shards.of(from).send('RENAME', from, to);
      return;
    }
    await this.storeTensor(to, await this.fetchTensor(from));
    await this.deleteKey(from);
  }

  /** Copies a tensor by way of this client. */
  async copyTensor(name: string, copyName: string): Promise<void> {
    await this.putTensor(copyName, await this.getTensor(name));
  }

  async tensorExists(name: string): Promise<boolean> {
    return this.keyExists(this.names.read('tensor', name));
  }

  /** Whether the literal key exists. */
  async keyExists(key: string): Promise<boolean> {
    return (await this.shards.of(key).send('EXISTS', key)) === 1;
  }

  /** Waits for a tensor; false if it did not come. */
  async pollTensor(name: string, options: PollOptions): Promise<boolean> {
    return this.pollKey(this.names.read('tensor', name), options);
  }

  /** Waits for a literal key; false if it did not come. */
  async pollKey(key: string, options: PollOptions): Promise<boolean> {
    return this.poll(() => this.keyExists(key), options);
  }

  protected async poll(condition: () => Promise<boolean>, { intervalMs, attempts }: PollOptions): Promise<boolean> {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      if (await condition()) return true;
      if (attempt < attempts) await sleep(intervalMs);
    }
    return false;
  }

  protected async storeTensor(key: string | Buffer, value: Tensor): Promise<void> {
    await this.shards.of(key).send(...tensorSetWords(key, value));
  }

  protected async fetchTensor(key: string | Buffer): Promise<Tensor> {
    return tensorOfReply(await this.shards.of(key).send(...tensorGetWords(key)));
  }

  protected async deleteKey(key: string): Promise<void> {
    await this.shards.of(key).send(this.shards.clustered ? 'UNLINK' : 'DEL', key);
  }
}

export function tensorSetWords(key: Word, value: Tensor): Word[] {
  checkTensor(value);
  return ['AI.TENSORSET', key, value.dtype, ...value.shape.map(String), 'BLOB', bytesOf(value)];
}

export function tensorGetWords(key: Word): Word[] {
  return ['AI.TENSORGET', key, 'META', 'BLOB'];
}
