import { WorkflowError } from '../../diagnostics/index.js';
import type { Plan, Store } from '../../ir/index.js';

/**
 * Refuses a plan whose stores listen at one place on several nodes, where hosts are names only and would take that place from each other.
 *
 * @throws WorkflowError CLI1011
 */
export function assertPlacesApart(plan: Plan, dir: string): void {
  const one = plan.stores.find((store) => store.nodes > 1 && placeOf(store) !== undefined);
  if (one === undefined) return;
  throw new WorkflowError({
    code: 'CLI1011',
    message: `${dir} cannot be rehearsed with hosts that are names only: store '${one.name}' listens ${placeOf(one)} on each of its ${one.nodes} nodes`,
    hint: 'rehearse it where users may make namespaces (docs/rehearse.md), without --plain; or give it TCP and port 0, a free one',
  });
}

/** Place that a store has on each of its nodes; `undefined` where the system gives it one. */
function placeOf(store: Store): string | undefined {
  const transport = store.kind === 'standalone' ? { kind: 'tcp' as const, port: store.port } : store.transport;
  if (transport.kind === 'uds') return 'at a socket under /tmp';
  return transport.port === 0 ? undefined : `on port ${transport.port}`;
}
