import * as z from 'zod';
import type { ParamsDeclaration, ParamValue } from '../ir/index.js';
import {
  type GivenValue,
  modelParamsOptions,
  paramsOptions,
  StrategyName,
  strategyOptions,
} from '../ir/options/index.js';
import { type Arguments, inexact, isExact, plainNumber, show } from './arguments.js';
import { callUserFunction } from './call-user-function.js';
import { warnOfSecrets } from './secrets.js';

type Values = ParamsDeclaration['values'];
type Strategy = ParamsDeclaration['strategy'];

const record = z.record(z.string(), z.unknown());

/** Parameters from the arguments of `.params()`. A function among its strategies is called here. */
export function paramsNode(
  checked: Arguments,
  kind: 'model' | 'ensemble',
  given: unknown,
  options: unknown,
): ParamsDeclaration {
  const known = checked.options(paramsOptions, options);
  const values = paramValues(checked, kind, given);
  const strategy = kind === 'model' ? noStrategy(checked, known) : strategyOf(checked, values, known);
  const { asArgs } = checked.read(modelParamsOptions, known);
  // A parameter whose value was refused has its problem already.
  const names = Object.keys((strategy.kind === 'explicit' ? strategy.assignments[0] : given) ?? {});
  for (const name of asArgs) {
    if (names.includes(name)) continue;
    const hint = `its parameters are: ${names.join(', ')}`;
    checked.problems.error('DSL1008', `.params(): asArgs names '${name}', which is no parameter`, checked.at, hint);
  }
  return { kind: 'params', at: checked.at, values, strategy, asArgs };
}

/** Values of parameters, without those that cannot be used; a model has one a parameter. */
export function paramValues(checked: Arguments, kind: 'model' | 'ensemble', given: unknown): Values {
  const entries: [string, Values[string]][] = [];
  if (!isRecord(given)) {
    const hint = 'write { NAME: value }';
    checked.problems.error('DSL1008', `${checked.call}: ${show(given)} holds no parameters`, checked.at, hint);
    return {};
  }
  warnOfSecrets(checked, Object.entries(given));
  for (const [name, value] of Object.entries(given)) {
    if (!isName(name)) {
      const hint = 'any other text is one; between two delimiters it is a tag';
      checked.problems.error('DSL1008', `${checked.call}: ${show(name)} is no name of a parameter`, checked.at, hint);
      continue;
    }
    const usable = paramValue(checked, kind, name, value);
    if (usable !== undefined) entries.push([name, usable]);
  }
  return Object.fromEntries(entries);
}

function paramValue(
  checked: Arguments,
  kind: 'model' | 'ensemble',
  name: string,
  value: unknown,
): Values[string] | undefined {
  const problem = (text: string, hint: string) => {
    checked.problems.error('DSL1008', `${checked.call}: ${name} ${text}`, checked.at, hint);
    return undefined;
  };
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) return problem('is an empty list, so there would be no members', 'give at least one value');
  if (Array.isArray(value) && kind === 'model') {
    return problem(
      'is a list, and a model has one value a parameter',
      "use .ensemble() to run each of a list's values",
    );
  }
  for (const item of list) {
    if (typeof item === 'number' && !Number.isFinite(item))
      return problem(`holds ${item}`, 'numbers have to be finite');
    if (!isExact(item)) return problem(`holds ${show(item)}`, inexact);
    if (!isValue(item)) {
      return problem(`cannot hold ${show(item)}`, 'values are texts, numbers and booleans, or lists of them');
    }
  }
  return Array.isArray(value) ? list.filter(isValue).map(plainNumber) : list.filter(isValue).map(plainNumber)[0];
}

/** True if a parameter can have the name. The empty name would make a tag of two delimiters in a row. */
function isName(name: string): boolean {
  return name !== '' && !name.includes('\0');
}

function isValue(value: unknown): value is GivenValue {
  return typeof value === 'string' ? !value.includes('\0') : ['number', 'bigint', 'boolean'].includes(typeof value);
}

function noStrategy(checked: Arguments, given: Readonly<Record<string, unknown>>): Strategy {
  for (const name of Object.keys(strategyOptions)) {
    if (given[name] === undefined) continue;
    const message = `.params(): ${name} is for ensembles, and a model has one value a parameter`;
    checked.problems.error('DSL1007', message, checked.at, "use .ensemble() to run each of a list's values");
  }
  return { kind: 'all-perm' };
}

function strategyOf(checked: Arguments, values: Values, given: Readonly<Record<string, unknown>>): Strategy {
  const { count, seed } = checked.read(strategyOptions, given);
  const combinations = Object.values(values).reduce<number>((product, value) => product * lengthOf(value), 1);
  const chosen = given['strategy'];
  const kind =
    typeof chosen === 'function' ? undefined : (checked.choice(StrategyName.options, chosen, 'strategy') ?? 'all-perm');
  if (count !== undefined && (kind === 'all-perm' || kind === 'step')) {
    const message = `.params(): strategy '${kind}' takes every value, so count has no meaning`;
    checked.problems.error('DSL1001', message, checked.at, "leave count out, or use strategy 'random'");
  }
  if (given['seed'] !== undefined && kind !== 'random') {
    const message = `.params(): seed belongs to strategy 'random', not to ${kind === undefined ? 'a function' : `'${kind}'`}`;
    checked.problems.error('DSL1001', message, checked.at);
  }
  if (typeof chosen === 'function') {
    const axes = Object.entries(values).map(([name, value]) => [name, Object.freeze([value].flat())]);
    const result = callUserFunction(checked, 'DSL1011', () =>
      chosen(Object.freeze(Object.fromEntries(axes)), count ?? combinations),
    );
    return { kind: 'explicit', assignments: result === undefined ? [{}] : assignments(checked, result.returned) };
  }
  if (kind === 'step') checkLengths(checked, values);
  if (kind !== 'random') return { kind: kind ?? 'all-perm' };
  if (count !== undefined && count > combinations) {
    const message = `.params(): ${count} of ${combinations} combinations cannot be taken without taking one twice`;
    checked.problems.error('DSL1010', message, checked.at, `count is at most ${combinations}`);
  }
  return { kind, seed, ...(count === undefined ? {} : { count }) };
}

function lengthOf(value: Values[string]): number {
  return Array.isArray(value) ? value.length : 1;
}

/** Refuses lists of different lengths: `step` takes one value of each at a time. */
function checkLengths(checked: Arguments, values: Values): void {
  const axes = Object.entries(values).filter(([, value]) => lengthOf(value) !== 1);
  if (new Set(axes.map(([, value]) => lengthOf(value))).size <= 1) return;
  const lengths = axes.map(([name, value]) => `${name} has ${lengthOf(value)}`).join(', ');
  const message = `.params(): strategy 'step' takes one value of each parameter at a time, and their numbers differ: ${lengths}`;
  const hint = "give all lists one length, or one value; 'all-perm' runs every combination";
  checked.problems.error('DSL1010', message, checked.at, hint);
}

/** Members' parameters from the result of a user's function: a list, with the same names in each entry. */
function assignments(checked: Arguments, returned: unknown): Record<string, ParamValue>[] {
  const refuse = (text: string) => {
    const hint = 'it returns a list with the parameters of each member: [{ TAU: 0.6 }, { TAU: 0.8 }]';
    checked.problems.error('DSL1011', `.params(): the strategy function returned ${text}`, checked.at, hint);
    return [{}];
  };
  if (returned instanceof Promise) return refuse('a promise, and it has to give its members at once');
  if (!Array.isArray(returned)) return refuse(show(returned));
  if (returned.length === 0) return refuse('an empty list, so there would be no members');
  const usable: Record<string, ParamValue>[] = [];
  let names: string[] | undefined;
  for (const [index, assignment] of (returned as unknown[]).entries()) {
    if (!isRecord(assignment)) return refuse(`${show(assignment)} as member ${index}`);
    const wrong = Object.entries(assignment).find(([, value]) => !isUsable(value));
    if (wrong !== undefined) return refuse(`${show(wrong[1])} as ${wrong[0]} of member ${index}`);
    const own = Object.keys(assignment);
    const nameless = own.find((name) => !isName(name));
    if (nameless !== undefined) return refuse(`${show(nameless)} as a parameter of member ${index}`);
    names ??= own;
    const first = names;
    const odd = own.find((name) => !first.includes(name)) ?? first.find((name) => !own.includes(name));
    if (odd !== undefined) {
      const where = first.includes(odd) ? `member 0 has and member ${index} has not` : `only member ${index} has`;
      return refuse(`a parameter '${odd}' that ${where}`);
    }
    usable.push(Object.fromEntries(first.map((name) => [name, plainNumber(assignment[name] as GivenValue)])));
  }
  return usable;
}

function isUsable(value: unknown): boolean {
  return isValue(value) && (typeof value !== 'number' || Number.isFinite(value)) && isExact(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return record.safeParse(value).success;
}
