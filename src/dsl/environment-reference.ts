import type { EnvReference } from '../ir/index.js';
import { type Arguments, show } from './arguments.js';

/** Names of environment variables, as every shell and launcher takes them. */
export const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

const reference = Symbol('environment reference');

/** A variable of the submitter's environment, as `.env()` takes it. */
export interface EnvironmentReference {
  /** @internal */
  readonly [reference]: string;
}

/**
 * A variable that an application gets from the environment in which the jobs are submitted. Its value stands in no file and in no argument:
 * the way to pass a token or a password. It is an error if it is not set when the jobs are submitted.
 *
 * @example command('python3', 'train.py').env({ HF_TOKEN: fromEnvironment('HF_TOKEN') })
 */
export function fromEnvironment(name: string): EnvironmentReference {
  return Object.freeze(
    Object.defineProperty({ [reference]: name }, Symbol.toPrimitive, {
      value: () => {
        throw new TypeError(
          `fromEnvironment('${name}') stands for a whole variable: its value is not known before the job runs`,
        );
      },
    }),
  );
}

/** True for what `fromEnvironment()` returns. */
export function isEnvironmentReference(value: unknown): value is EnvironmentReference {
  return typeof value === 'object' && value !== null && reference in value;
}

/** The reference as a node of the declaration; undefined, and a problem, where it names no variable. */
export function environmentNode(checked: Arguments, value: EnvironmentReference): EnvReference | undefined {
  const name: unknown = value[reference];
  if (typeof name === 'string' && variableName.test(name)) return { fromEnvironment: name };
  const message = `${checked.call}: fromEnvironment() cannot take ${show(name)}: it is no name of an environment variable`;
  checked.problems.error('DSL1002', message, checked.at);
  return undefined;
}
