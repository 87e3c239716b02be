import { counted, WorkflowError } from '../diagnostics/index.js';
import { hasNumbers, type Plan } from '../ir/index.js';

/** A fault that a rehearsal brings about. */
export type Fault =
  | { readonly kind: 'node'; readonly node: string; readonly atSeconds: number }
  | { readonly kind: 'app'; readonly name: string; readonly atSeconds: number }
  | { readonly kind: 'store'; readonly name: string | undefined; readonly atSeconds: number }
  | { readonly kind: 'server'; readonly store: string | undefined; readonly shard: number; readonly atSeconds: number }
  | { readonly kind: 'walltime'; readonly atSeconds: number };

/** Text of a fault, as users write it. */
export function faultText(fault: Fault): string {
  return `${targetText(fault)}@${fault.atSeconds}s`;
}

function targetText(fault: Fault): string {
  switch (fault.kind) {
    case 'node':
      return `node:${fault.node}`;
    case 'app':
      return `app:${fault.name}`;
    case 'store':
      return fault.name === undefined ? 'store' : `store:${fault.name}`;
    case 'server':
      return `store${fault.store === undefined ? '' : `:${fault.store}`}/${fault.shard}`;
    case 'walltime':
      return 'walltime';
    default:
      return fault satisfies never;
  }
}

const forms = 'faults are node:2@5s, app:sweep_3, store@3s, store:NAME/2@3s (the server of shard 2) and walltime@10s';

/**
 * Reads `node:2@5s`, `app:sweep_3`, `store@3s`, `store:NAME/2@3s` or `walltime@10s`: what fails, and the seconds after the start of the first job
 * (of an application: after its own) at which it does.
 *
 * @throws WorkflowError CLI1001 for anything else.
 */
export function parseFault(text: string): Fault {
  const [, kind, name, shard, seconds] =
    /^(node|app|store|walltime)(?::([^@/]+))?(?:\/(\d+))?(?:@(\d+(?:\.\d+)?)s?)?$/.exec(text) ?? [];
  const atSeconds = seconds === undefined ? undefined : Number(seconds);
  if (kind === 'store' && shard !== undefined && Number(shard) > 0) {
    return { kind: 'server', store: name, shard: Number(shard), atSeconds: atSeconds ?? 1 };
  }
  if (shard !== undefined) throw noFault(text);
  if (kind === 'node' && name !== undefined) {
    return { kind, node: /^\d+$/.test(name) ? `node${name}` : name, atSeconds: atSeconds ?? 1 };
  }
  if (kind === 'app' && name !== undefined) return { kind, name, atSeconds: atSeconds ?? 0 };
  if (kind === 'store') return { kind, name, atSeconds: atSeconds ?? 1 };
  if (kind === 'walltime' && name === undefined && atSeconds !== undefined) return { kind, atSeconds };
  throw noFault(text);
}

function noFault(text: string): WorkflowError {
  return new WorkflowError({ code: 'CLI1001', message: `--fail ${text} names no fault`, hint: forms });
}

/**
 * Reports faults of entities, stores and shards that a plan does not have.
 *
 * @throws WorkflowError CLI1001 for the first of them.
 */
export function assertFaults(faults: readonly Fault[], { entities, stores }: Plan): void {
  for (const fault of faults) {
    const problem = problemOf(fault, { entities, stores });
    if (problem === undefined) continue;
    throw new WorkflowError({ code: 'CLI1001', message: `--fail ${targetText(fault)}: ${problem}`, hint: forms });
  }
}

/** The store that a fault of a server meets: without a name the first one in shards, or else the first. */
export function storeOf(
  name: string | undefined,
  { stores }: Pick<Plan, 'stores'>,
): Plan['stores'][number] | undefined {
  if (name !== undefined) return stores.find((one) => one.name === name);
  return stores.find((one) => shardsOf(one) > 1) ?? stores[0];
}

function shardsOf(store: Plan['stores'][number]): number {
  return store.kind === 'standalone' ? store.shards : 1;
}

function problemOf(fault: Fault, plan: Pick<Plan, 'entities' | 'stores'>): string | undefined {
  const { entities, stores } = plan;
  const listed = (named: readonly { readonly name: string }[]) =>
    named.length === 0 ? 'it has none' : `it has ${named.map(({ name }) => name).join(', ')}`;
  switch (fault.kind) {
    case 'app':
      if (entities.some((one) => one.name === fault.name || isMember(fault.name, one))) return undefined;
      return `the workflow has no such application: ${listed(entities)}`;
    case 'store':
      if (stores.some(({ name }) => fault.name === undefined || name === fault.name)) return undefined;
      return `the workflow has no such store: ${listed(stores)}`;
    case 'server': {
      const store = storeOf(fault.store, plan);
      if (store === undefined) return `the workflow has no such store: ${listed(stores)}`;
      return fault.shard <= shardsOf(store)
        ? undefined
        : `store ${store.name} has ${counted(shardsOf(store), 'shard')}`;
    }
    default:
      return undefined;
  }
}

function isMember(name: string, entity: Plan['entities'][number]): boolean {
  const [, ensemble, index] = /^(.*)_(\d+)$/.exec(name) ?? [];
  return ensemble === entity.name && hasNumbers(entity) && Number(index) < entity.members.count;
}
