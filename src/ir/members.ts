import * as z from 'zod';
import { ParamValue } from './options/params.js';
import { permute } from './permute.js';

const count = z.int().positive();

/** A parameter with its values. A scalar is an axis of one value. */
export const Axis = z.strictObject({ name: z.string(), values: z.array(ParamValue).min(1) });
export type Axis = z.infer<typeof Axis>;

/**
 * Members as a function of their index: see `memberParams`. An ensemble of a million is as small here as one of ten; only lists that no
 * rule makes (a user's own function, members added by hand) are listed.
 */
export const Members = z.discriminatedUnion('strategy', [
  /** Every combination, first axis slowest. */
  z.strictObject({ strategy: z.literal('all-perm'), axes: z.array(Axis), replicas: count, count }),
  /** The i-th value of every axis; all axes have one length, scalars excepted. */
  z.strictObject({ strategy: z.literal('step'), axes: z.array(Axis), replicas: count, count }),
  /** The first `assignments` of a seeded permutation of all combinations. */
  z.strictObject({
    strategy: z.literal('random'),
    axes: z.array(Axis),
    seed: z.int().nonnegative(),
    assignments: count,
    replicas: count,
    count,
  }),
  z.strictObject({
    strategy: z.literal('explicit'),
    assignments: z.array(z.record(z.string(), ParamValue)).min(1),
    replicas: count,
    count,
  }),
]);
export type Members = z.infer<typeof Members>;

/** Parameters of one member, in the order of the axes. */
export type Params = Readonly<Record<string, ParamValue>>;

/** Number of members that the axes make: the product of their lengths. */
export function memberCount(axes: readonly Axis[]): number {
  return axes.reduce((count, axis) => count * axis.values.length, 1);
}

/**
 * Parameters of member `index`, 0-based, in the order of the axes. With replicas, members `k * replicas` to `k * replicas + replicas - 1`
 * have assignment k.
 *
 * Compiler and runtime both use this one function, so members are never listed anywhere.
 */
export function memberParams(members: Members, index: number): Params {
  const assignment = assignmentOf(members, index);
  switch (members.strategy) {
    case 'explicit':
      return members.assignments[assignment] ?? {};
    case 'step':
      return chosen(members.axes, (axis) => (axis.values.length === 1 ? 0 : assignment));
    case 'all-perm':
      return combination(members.axes, assignment);
    case 'random':
      return combination(members.axes, permute(assignment, memberCount(members.axes), members.seed));
  }
}

/** The assignment that a member has: replicas share one. */
export function assignmentOf(members: Members, index: number): number {
  return Math.floor(index / members.replicas);
}

/** Names of the parameters that members have. */
export function parameterNames(members: Members): string[] {
  if (members.strategy !== 'explicit') return members.axes.map(({ name }) => name);
  return [...new Set(members.assignments.flatMap((assignment) => Object.keys(assignment)))];
}

/** The combination of a number in mixed radix, first axis slowest. */
function combination(axes: readonly Axis[], number: number): Params {
  const digits = new Map<Axis, number>();
  let rest = number;
  for (const axis of [...axes].reverse()) {
    digits.set(axis, rest % axis.values.length);
    rest = Math.floor(rest / axis.values.length);
  }
  return chosen(axes, (axis) => digits.get(axis) ?? 0);
}

function chosen(axes: readonly Axis[], place: (axis: Axis) => number): Params {
  return Object.fromEntries(axes.map((axis) => [axis.name, axis.values[place(axis)] ?? '']));
}

/** A parameter's value as it is written into files and arguments. */
export function formatValue(value: ParamValue): string {
  return String(value);
}

/** A model, an ensemble or a Ray cluster, of the plan or as it is declared. */
interface Named {
  readonly kind: 'model' | 'ensemble' | 'ray-cluster';
  readonly name: string;
}

/** True for kinds of entities whose members have numbers, and directories below the entity's. */
const isNumbered: Readonly<Record<Named['kind'], boolean>> = {
  model: false,
  ensemble: true,
  'ray-cluster': false,
};

/** True if an entity's members have numbers; one without has one member, of its own name. */
export function hasNumbers({ kind }: Pick<Named, 'kind'>): boolean {
  return isNumbered[kind];
}

/** Name of a member: `NAME_3` of an ensemble, the model's own name of a model. */
export function memberName(entity: Named, index: number): string {
  return hasNumbers(entity) ? `${entity.name}_${index}` : entity.name;
}

/** Directory of a member, relative to the plan's folder. */
export function memberDirectory(entity: Named, index: number): string {
  return hasNumbers(entity) ? `run/${entity.name}/${memberName(entity, index)}` : `run/${entity.name}`;
}

/**
 * The words that parameters named in `asArgs` make: `--name=value`, `-n value` for a name of one letter, a name that starts with
 * dashes as it is. Each value is one word, blanks and all.
 */
export function memberArgs(asArgs: readonly string[], params: Params): string[] {
  return asArgs.flatMap((name) => {
    const value = formatValue(params[name] ?? '');
    if (name.startsWith('--')) return [`${name}=${value}`];
    if (name.startsWith('-')) return [name, value];
    return name.length === 1 ? [`-${name}`, value] : [`--${name}=${value}`];
  });
}
