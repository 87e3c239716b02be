import type { EnvValue } from './declaration.js';
import type { Entity, Plan } from './plan.js';

/** Names of the submitter's variables that entities refer to, sorted, each once. */
export function submittersVariables({ entities }: Pick<Plan, 'entities'>): string[] {
  const values = entities.flatMap(environmentsOf).flatMap((variables) => Object.values(variables));
  return [...new Set(values.flatMap((value) => (typeof value === 'string' ? [] : value.fromEnvironment)))].sort();
}

function environmentsOf({ env, memberEnv = [] }: Entity): Readonly<Record<string, EnvValue>>[] {
  return [env, ...memberEnv];
}

/** The names that an environment does not have. */
export function unsetVariables(names: readonly string[], env: Readonly<Record<string, string | undefined>>): string[] {
  return names.filter((name) => env[name] === undefined);
}
