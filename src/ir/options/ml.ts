import * as z from 'zod';
import { backendNames, type NamedBackend } from '../../ml/backends.js';
import { devicePattern } from '../../ml/devices.js';
import { choice, type Options, type OptionsOf, value } from './option.js';
import { natural, nonEmptyText, plainText, positive } from './values.js';

/** `CPU`, `GPU`, or one of several: `GPU:1`. */
export type Device = 'CPU' | 'GPU' | `CPU:${number}` | `GPU:${number}`;

const device = z.string().regex(devicePattern, "devices are 'CPU', 'GPU' or 'GPU:1'");
const names = z
  .array(nonEmptyText)
  .min(1, 'it is empty')
  .refine((list) => new Set(list).size === list.length, 'a name stands in it twice');

export const placementOptions = {
  /** Device that runs it. @default 'CPU' */
  device: value(device).typed<Device>().or('CPU'),
  /** Number of copies, one a GPU, under `NAME.GPU:i`. @default 1 */
  devicesPerNode: value(positive),
  /** Number of the first GPU with a copy. @default 0 */
  firstDevice: value(natural),
  /** Name of the store that loads it. @default the entity's colocated store if it has one, else every standalone one */
  orchestrator: value(nonEmptyText),
};

/** Place of an ML model or a script: its store and device. */
export interface PlacementOptions extends OptionsOf<typeof placementOptions>, Options {}

export type ScriptOptions = PlacementOptions;

export const functionOptions = {
  /** Number of its inputs, for a function with a rest parameter. @default its number of parameters */
  inputs: value(positive),
  ...placementOptions,
};

/** A function of tensors. */
export interface FunctionOptions extends OptionsOf<typeof functionOptions>, Options {}

export const anyModelOptions = {
  /** Most requests that run together. @default no batching */
  batchSize: value(positive),
  /** Fewest requests that run together, unless `minBatchTimeout` is over; needs `batchSize`. */
  minBatchSize: value(positive),
  /** Milliseconds to wait for `minBatchSize` requests. @default without end */
  minBatchTimeout: value(positive).as('minBatchTimeoutMs'),
  /** Text that the store keeps beside it. */
  tag: value(plainText),
  ...placementOptions,
};

const graphOptions = {
  /** Names of the graph's inputs. */
  inputs: value(names),
  /** Names of the graph's outputs. */
  outputs: value(names),
};

export const mlModelOptions = {
  /** Framework that the model is made with. */
  backend: choice(z.enum(backendNames)).required(),
  ...graphOptions,
  ...anyModelOptions,
};

/** A TensorFlow graph. */
export interface TensorFlowModelOptions
  extends OptionsOf<typeof anyModelOptions>,
    Required<OptionsOf<typeof graphOptions>> {
  /** Framework that the model is made with. */
  backend: NamedBackend;
}
