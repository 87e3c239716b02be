import * as z from 'zod';
import { type Options, type OptionsOf, own, value } from './option.js';
import { natural, positive, texts } from './values.js';

/** One value of a parameter. */
export const ParamValue = z.union([z.string(), z.number(), z.boolean()]);
export type ParamValue = z.infer<typeof ParamValue>;

/** One value of a parameter, written as `String(value)`. A BigInt is kept digit by digit: beyond 2^53 as a text. */
export type GivenValue = ParamValue | bigint;

/** Parameters by name, each with a value or the list of values it takes. */
export type ParamValues = Readonly<Record<string, GivenValue | readonly GivenValue[]>>;

/** Parameters by name, each with its value. The types are spelt out, so that the editor says what a value can be. */
export type ParamAssignment = Readonly<Record<string, string | number | bigint | boolean>>;

/**
 * A user's own strategy: from the values that each parameter takes (a scalar as a list of one), the parameters of each member in turn. It
 * runs once, when `.params()` is called; the plan lists what it returns.
 *
 * @param count `count` of `.params()`, else the number of all combinations
 */
export type StrategyFunction = (
  axes: Readonly<Record<string, readonly ParamValue[]>>,
  count: number,
) => readonly ParamAssignment[];

export const StrategyName = z.enum(['all-perm', 'step', 'random']);

export const strategyOptions = {
  /**
   * Rule that makes members of the values. `all-perm`: every combination, the first parameter slowest. `step`: the first value of each list, the
   * second value of each, and so on; lists have one length, or one value. `random`: `count` of all combinations, none twice. @default 'all-perm'
   */
  strategy: own(StrategyName).typed<z.infer<typeof StrategyName> | StrategyFunction>().or('all-perm'),
  /** Number of combinations that `random` takes, or that a function is asked for. @default all of them */
  count: value(positive),
  /** Seed of `random`: the same one gives the same members on every machine. @default 0 */
  seed: value(natural).or(0),
};

export const modelParamsOptions = {
  /** Parameters that become arguments (`--name=value`, `-n value`), in the place of `{args}` or at the end. */
  asArgs: value(texts).or([]),
};

/** The options of `.params()` of an ensemble; a model has no strategy. */
export const paramsOptions = { ...strategyOptions, ...modelParamsOptions };

export interface ParamsOptions extends OptionsOf<typeof paramsOptions>, Options {}

export const addModelOptions = {
  /** Values of its own parameters. */
  params: own(z.record(z.string(), ParamValue)).typed<ParamAssignment>().or({}),
};

export interface AddModelOptions extends OptionsOf<typeof addModelOptions>, Options {}
