import { ServerCalls } from './calls/server-calls.js';
import { KeyNames } from './key-names.js';
import { type Environment, readSettings } from './settings.js';
import { Shards } from './shards.js';

/** Which store to connect to. */
export interface ConnectOptions {
  /** The store's identifier: variables are looked up as `NAME_SUFFIX`. */
  readonly suffix?: string;
  /** Default `process.env`. */
  readonly env?: Environment;
}

/**
 * A client of the orchestrator. Its keys and bytes are those of the SmartRedis clients in Fortran, C, C++ and Python.
 *
 * ```ts
 * const client = await Client.connect();
 * await client.putTensor('velocity', tensor(new Float32Array(96 * 96 * 2), [96, 96, 2]));
 * await client.runModel('surrogate', ['velocity'], ['profile']);
 * const profile = await client.getTensor('profile', 'FLOAT');
 * await client.close();
 * ```
 * All calls reject with {@link ClientError}.
 */
export class Client extends ServerCalls {
  private constructor(shards: Shards, names: KeyNames, modelTimeoutMs: number) {
    super(shards, names, modelTimeoutMs);
  }

  /** Connects to the store that the environment names in `SSDB`. */
  static async connect({ suffix, env = process.env }: ConnectOptions = {}): Promise<Client> {
    const settings = readSettings(env, suffix);
    const shards = await Shards.open(settings);
    return new Client(shards, new KeyNames(settings.sources, settings.keyOut), settings.modelTimeoutMs);
  }

  /** Reads from the entity of that name from now on; it must be one of `SSKEYIN`. */
  setDataSource(name: string): void {
    this.names.setSource(name);
  }

  /** Whether tensor names carry prefixes; they do unless told otherwise. */
  useTensorPrefix(on: boolean): void {
    this.names.usePrefix('tensor', on);
  }

  /** Whether names of models and scripts carry prefixes; they do not unless told otherwise. */
  useModelPrefix(on: boolean): void {
    this.names.usePrefix('model', on);
  }

  /** Whether data set names carry prefixes; they do unless told otherwise. */
  useDatasetPrefix(on: boolean): void {
    this.names.usePrefix('dataset', on);
  }

  /** Whether list names carry prefixes; they do unless told otherwise. */
  useListPrefix(on: boolean): void {
    this.names.usePrefix('list', on);
  }

  /** Ends the connections once pending calls are answered. */
  async close(): Promise<void> {
    await this.shards.close();
  }
}
