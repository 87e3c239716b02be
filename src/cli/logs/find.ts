import { suggestion, WorkflowError } from '../../diagnostics/index.js';
import { type Entity, hasNumbers, type Job, memberName, type Plan, type Store } from '../../ir/index.js';

/** A member of an ensemble, or a model as its own only member. */
export interface FoundMember {
  readonly entity: Entity;
  readonly index: number;
}

/** The thing that a name in a plan refers to. */
export type Found =
  | ({ readonly kind: 'member' } & FoundMember)
  | { readonly kind: 'ensemble'; readonly entity: Entity }
  | { readonly kind: 'store'; readonly store: Store }
  | { readonly kind: 'job'; readonly job: Job };

/**
 * Finds what a name refers to: the first match among models, members, ensembles, stores and jobs.
 *
 * @throws WorkflowError CLI1001 for a name that the plan does not have.
 */
export function findNamed(plan: Plan, name: string): Found {
  const member = findMember(plan, name);
  if (member !== undefined) return { kind: 'member', ...member };
  const entity = plan.entities.find((one) => one.name === name);
  if (entity !== undefined) return { kind: 'ensemble', entity };
  const store = plan.stores.find((one) => one.name === name);
  if (store !== undefined) return { kind: 'store', store };
  const job = plan.jobs.find((one) => one.name === name);
  if (job !== undefined) return { kind: 'job', job };
  const names = [...plan.entities, ...plan.stores, ...plan.jobs].map((one) => one.name);
  throw new WorkflowError({
    code: 'CLI1001',
    message: `experiment '${plan.experiment}' has no entity, member, store or job named '${name}'`,
    hint: memberHint(plan, name) ?? suggestion(name, names) ?? `it has: ${[...new Set(names)].join(', ')}`,
  });
}

/** The member or model of a name; `undefined` where there is none. */
export function findMember(plan: Plan, name: string): FoundMember | undefined {
  const model = plan.entities.find((one) => !hasNumbers(one) && one.name === name);
  if (model !== undefined) return { entity: model, index: 0 };
  const [, ensemble, digits] = /^(.+)_(0|[1-9]\d{0,14})$/.exec(name) ?? [];
  const entity = plan.entities.find((one) => hasNumbers(one) && one.name === ensemble);
  const index = Number(digits);
  return entity !== undefined && index < entity.members.count ? { entity, index } : undefined;
}

function memberHint(plan: Plan, name: string): string | undefined {
  const [, ensemble] = /^(.+)_\d+$/.exec(name) ?? [];
  const entity = plan.entities.find((one) => hasNumbers(one) && one.name === ensemble);
  if (entity === undefined) return undefined;
  return `the members of '${entity.name}' are ${memberName(entity, 0)} to ${memberName(entity, entity.members.count - 1)}`;
}
