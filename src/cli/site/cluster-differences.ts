import type { Problem } from '../../diagnostics/index.js';
import { formatClock, nodesOfQueue, parseWalltime, type Site, type SiteQueue, secondsOfQueue } from '../../ir/index.js';
import type { Queue, SchedulerFacts } from '../../targets/probe.js';

/** Things that a site says and that its scheduler, as it answers here, does not have. */
export function clusterDifferences(site: Site, facts: SchedulerFacts): Problem[] {
  const found: Problem[] = [];
  const warn = (message: string) => found.push({ code: 'SITE1010', severity: 'warning', message, at: undefined });
  if (facts.maxArraySize !== undefined && (site.maxArraySize ?? 0) > facts.maxArraySize) {
    warn(`maxArraySize is ${site.maxArraySize}, and ${facts.name} takes ${facts.maxArraySize}`);
  }
  const named = Object.entries(site.queues).map(([name, queue]) => ({ field: `queues.${name}`, name, queue }));
  const ofDefaults = site.defaults.queue;
  const plain: typeof named =
    ofDefaults === undefined || site.queues[ofDefaults] !== undefined
      ? []
      : [{ field: 'defaults.queue', name: ofDefaults, queue: {} }];
  for (const { field, name, queue } of [...named, ...plain]) {
    const own = queue.queue ?? (queue.qos === undefined ? name : undefined);
    const known = facts.queues.find((one) => one.name === own);
    if (own !== undefined && known === undefined && facts.queues.length > 0) {
      warn(`${field}: ${facts.name} has no queue '${own}'; it has ${facts.queues.map((one) => one.name).join(', ')}`);
    }
    if (known !== undefined) for (const text of shapeDifferences(site, queue, known)) warn(`${field}: ${text}`);
  }
  return found;
}

function shapeDifferences(site: Site, queue: SiteQueue, known: Queue): string[] {
  const node = { ...site.node, ...queue.node };
  const texts: string[] = [];
  const compare = (what: string, says: number | undefined, has: readonly (number | undefined)[]) => {
    const most = Math.max(...has.map((one) => one ?? Number.POSITIVE_INFINITY));
    if (has.length > 0 && says !== undefined && says > most)
      texts.push(`${says} ${what}, and the scheduler says ${most}`);
  };
  compare(
    'cores a node',
    node.cores,
    known.shapes.map(({ cores }) => cores),
  );
  compare(
    'GPUs a node',
    node.gpus,
    known.shapes.map(({ gpus }) => gpus),
  );
  compare(
    'MiB a node',
    node.memoryMiB,
    known.shapes.map(({ memoryMiB }) => memoryMiB),
  );
  const seconds = secondsOfQueue(queue, nodesOfQueue(queue).most).most;
  const limit = parseWalltime(known.maxWalltime ?? '');
  if (limit !== undefined && Number.isFinite(seconds) && seconds > limit) {
    texts.push(`jobs of ${formatClock(seconds)}, and the scheduler says ${formatClock(limit)}`);
  }
  const { most } = nodesOfQueue(queue);
  if (Number.isFinite(most)) compare('nodes a job', most, known.maxNodes === undefined ? [] : [known.maxNodes]);
  return texts;
}
