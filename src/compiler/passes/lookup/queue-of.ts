import {
  type ApplicationDeclaration,
  type BatchDeclaration,
  defined,
  type EntityDeclaration,
  type ExperimentDeclaration,
  nodesOfQueue,
  type RequiresDeclaration,
  type Site,
  type SiteQueue,
} from '../../../ir/index.js';
import type { EntityPlace } from './placed-jobs.js';
import { nodesOwner, requirement } from './shared-nodes.js';

/** Demands on the queue of nodes: those of an entity come before those of its job. */
export interface QueueWish {
  readonly requires?: Pick<RequiresDeclaration, 'queue' | 'constraint'> | undefined;
  readonly batch?: Pick<BatchDeclaration, 'queue' | 'qos' | 'constraint'> | undefined;
}

/** A queue of the site, by the name that it has there. */
export interface NamedQueue {
  readonly name: string;
  readonly queue: SiteQueue;
}

/** The wish of a component's entities: all that require something require the same. */
export function wishOf(
  entities: readonly EntityDeclaration[],
  batch: BatchDeclaration | undefined,
): QueueWish & { readonly requires: RequiresDeclaration | undefined } {
  return { requires: entities.find((one) => requirement(one) !== undefined)?.requires, batch };
}

/** The name that a workflow, or else the site, gives the queue, and the words that choose among queues of one name. */
function wordsOf({ requires, batch }: QueueWish, { defaults }: Site) {
  return {
    queue: requires?.queue ?? batch?.queue ?? defaults.queue,
    qos: batch?.qos ?? defaults.qos,
    constraint: requires?.constraint ?? batch?.constraint ?? defaults.constraint,
  };
}

/**
 * The site's queue for a wish: the one of that name, or that the scheduler knows by that queue or quality of service; where several are meant
 * the constraint decides. Without a name it is the default one, if the site has one. Undefined for a queue that the site does not describe.
 */
export function queueOf(site: Site, wish: QueueWish): NamedQueue | undefined {
  const all = Object.entries(site.queues).map(([name, queue]): NamedQueue => ({ name, queue }));
  const words = wordsOf(wish, site);
  const called = all.filter(({ name }) => name === words.queue);
  if (called.length > 0) return called[0];
  const meant =
    words.queue !== undefined
      ? all.filter(({ queue }) => queue.queue === words.queue && (queue.qos === undefined || queue.qos === words.qos))
      : words.qos !== undefined
        ? all.filter(({ queue }) => queue.qos === words.qos)
        : alikeDefault(all);
  const exact = meant.find(({ queue }) => queue.constraint === words.constraint);
  return exact ?? meant[0];
}

/** The default queue, and those that differ from it in their nodes only. */
function alikeDefault(all: readonly NamedQueue[]): readonly NamedQueue[] {
  const chosen = all.find(({ queue }) => queue.default === true);
  if (chosen === undefined) return [];
  const schedulers = ({ name, queue }: NamedQueue) => JSON.stringify([ownName(name, queue), queue.qos]);
  return [chosen, ...all.filter((one) => one !== chosen && schedulers(one) === schedulers(chosen))];
}

/** The queue's name for the scheduler; none where it is known by a quality of service. */
function ownName(name: string, { queue, qos }: SiteQueue): string | undefined {
  return queue ?? (qos === undefined ? name : undefined);
}

/** The words by which the scheduler is asked, and what an hour costs. */
export function queueWords(site: Site, wish: QueueWish) {
  const found = queueOf(site, wish);
  const words = wordsOf(wish, site);
  if (found === undefined) return words;
  const { name, queue } = found;
  const { requires, batch } = wish;
  return {
    queue:
      ownName(name, queue) ?? (site.queues[site.defaults.queue ?? ''] === undefined ? site.defaults.queue : undefined),
    qos: batch?.qos ?? queue.qos ?? site.defaults.qos,
    constraint: requires?.constraint ?? batch?.constraint ?? queue.constraint ?? site.defaults.constraint,
    chargeFactor: queue.chargeFactor,
  };
}

/** Hardware threads of a core, where the scheduler of the site counts those as its CPUs. */
export function threadsPerCpu({ node }: Site): number | undefined {
  return node.schedulerCounts === 'threads' && (node.threadsPerCore ?? 1) > 1 ? node.threadsPerCore : undefined;
}

/** The site as jobs of that wish find it: with the nodes and the limits of their queue. */
export function siteOn(site: Site, wish: QueueWish): Site {
  const found = queueOf(site, wish);
  if (found === undefined) return site;
  const { queue } = found;
  const { most } = nodesOfQueue(queue);
  const maxNodes = Math.min(site.maxNodes ?? Number.POSITIVE_INFINITY, most);
  return {
    ...site,
    node: { ...site.node, ...queue.node },
    ...defined({
      maxNodes: maxNodes === Number.POSITIVE_INFINITY ? undefined : maxNodes,
      maxArraySize: queue.maxArraySize ?? site.maxArraySize,
    }),
  };
}

/** The site as an application finds it, before it has its place. */
export function siteOf(experiment: ExperimentDeclaration, application: ApplicationDeclaration, site: Site): Site {
  const owner = nodesOwner(experiment, application);
  return siteOn(site, wishOf([owner], owner.batch ?? experiment.batch));
}

/** The site as the entities of a place find it. */
export function siteAt({ job, component }: Pick<EntityPlace, 'job' | 'component'>, site: Site): Site {
  return siteOn(site, wishOf([...component.applications, ...component.orchestrators], job.batch));
}
