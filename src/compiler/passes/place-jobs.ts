import type { Problems } from '../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  applicationsOf,
  byKind,
  type EntityDeclaration,
  type ExperimentDeclaration,
  type OrchestratorDeclaration,
  orchestratorsOf,
} from '../../ir/index.js';
import { allocate } from './allocate.js';
import type { Adds, PlacedComponent, PlacedJob, Reads, Sized } from './compilation.js';
import { nodesSaid } from './heed-directives.js';
import { groupBy } from './lookup/group-by.js';
import { EndOrder, topological } from './lookup/order.js';
import { jobsBefore } from './lookup/placed-jobs.js';
import { siteOn, wishOf } from './lookup/queue-of.js';
import { nodesOwner, requirement } from './lookup/shared-nodes.js';
import { walltimeOf } from './walltime.js';

/** Input of the pass. */
type Input = Reads<'experiment' | 'sized' | 'site' | 'target' | 'launchers'>;

/** A job whose nodes are not computed yet. */
type Draft = Omit<PlacedJob, 'components' | 'nodesSaid'>;

/**
 * Assigns every entity to a job: an entity with its own `.batch()` gets a job of its own, with the entities that share its nodes; all
 * others go into the experiment's job. Jobs are sorted so that each follows the jobs that it waits for.
 */
export function placeJobs(input: Input, problems: Problems): Adds<'jobs'> {
  const { experiment } = input;
  const { mode } = experiment.batch ?? {};
  if (mode === 'array' || mode === 'separate') {
    const what = mode === 'array' ? 'a job array' : 'submitted once a member';
    const hint = `describe the ensemble's own job: .ensemble(…).batch({ mode: '${mode}' })`;
    problems.error('PLAN1002', `the experiment's own job cannot be ${what}`, experiment.batch?.at, hint);
  }
  const applications = applicationsOf(experiment);
  const drafts = draftJobs(experiment, (application) => arrayOf(application, input, problems));
  const jobs = drafts.map((draft): PlacedJob => {
    const components = componentsOf(draft, input, problems);
    // With several kinds of nodes it would be open which is meant.
    const said = components.length > 1 ? undefined : nodesSaid(input.target, input.site, draft.batch);
    return { ...draft, components, nodesSaid: said };
  });
  const sorted = topological(jobs, (job) => jobsBefore(job, jobs, applications));
  if (sorted !== undefined) return { jobs: sorted };
  const hint = 'leave out .batch() where entities wait for each other in both directions, so that they share a job';
  problems.error('REF1002', 'jobs would wait for each other', applications.find(({ batch }) => batch)?.batch?.at, hint);
  return { jobs };
}

function draftJobs(
  experiment: ExperimentDeclaration,
  splitOf: (application: ApplicationDeclaration) => Pick<Draft, 'array' | 'separate'>,
): Draft[] {
  const drafts: Draft[] = [];
  const applications = applicationsOf(experiment);
  const owners = new Map(applications.map((one) => [one, nodesOwner(experiment, one)]));
  const byOwner = groupBy(applications, (one) => owners.get(one));
  const isHome = (application: ApplicationDeclaration) => owners.get(application)?.batch === undefined;
  const taken = experiment.entities.some(({ name, batch }) => batch !== undefined && name === experiment.name);
  let hasHome = false;
  for (const entity of experiment.entities) {
    const isAtHome = byKind(entity, { application: isHome, orchestrator: () => false });
    if (isAtHome) {
      if (hasHome) continue;
      hasHome = true;
      drafts.push({
        name: taken ? `${experiment.name}.main` : experiment.name,
        batch: experiment.batch,
        applications: applications.filter(isHome),
        orchestrators: orchestratorsOf(experiment).filter(({ batch }) => batch === undefined),
        array: undefined,
        separate: undefined,
      });
    } else if (entity.batch !== undefined) {
      const { name, batch } = entity;
      const own = byKind<Omit<Draft, 'name' | 'batch'>>(entity, {
        application: (one) => ({ applications: byOwner.get(one) ?? [], orchestrators: [], ...splitOf(one) }),
        orchestrator: (one) => ({ applications: [], orchestrators: [one], array: undefined, separate: undefined }),
      });
      drafts.push({ name, batch, ...own });
    }
  }
  return drafts;
}

/** Entities that run on nodes of one kind. */
type Kind = Pick<PlacedComponent, 'applications' | 'orchestrators'>;

/** The entities of a job by the nodes that they require. Those that require nothing come first. */
function kindsOf({ applications, orchestrators }: Draft, experiment: ExperimentDeclaration): [Kind, ...Kind[]] {
  const keyOf = (entity: EntityDeclaration) => {
    const owner = byKind<EntityDeclaration>(entity, {
      application: (one) => nodesOwner(experiment, one),
      orchestrator: (one) => one,
    });
    return requirement(owner) ?? '';
  };
  // A store that requires nothing runs on the first kind of nodes.
  const plainApplications = new Set(applications.map(keyOf));
  const [firstKey = ''] = plainApplications;
  const storeKey = (entity: OrchestratorDeclaration) => {
    const key = keyOf(entity);
    return key === '' && !plainApplications.has('') ? firstKey : key;
  };
  const applicationsByKey = groupBy(applications, keyOf);
  const storesByKey = groupBy(orchestrators, storeKey);
  const keys = [...new Set([...applicationsByKey.keys(), ...storesByKey.keys()])];
  const kinds: Kind[] = keys
    .sort((a, b) => Number(a !== '') - Number(b !== ''))
    .map((key) => ({ applications: applicationsByKey.get(key) ?? [], orchestrators: storesByKey.get(key) ?? [] }));
  return kinds as [Kind, ...Kind[]];
}

/** The components of a job, with their nodes and the job's walltime. */
function componentsOf(draft: Draft, input: Input, problems: Problems): PlacedJob['components'] {
  const { experiment, sized, site } = input;
  const { name, batch, applications } = draft;
  const perElement = draft.array?.perElement ?? 1;
  const order = new EndOrder(applications);
  const allocated = (kind: Kind, nodes?: number) =>
    allocate({ ...input, ...kind, name, batch, order, all: applications, nodes, perElement }, problems);
  const [first, ...further] = kindsOf(draft, experiment);
  const others = further.map((kind) => allocated(kind));
  const rest = others.reduce((sum, one) => sum + one.allocation.nodes, 0);
  const given = batch?.nodes;
  const main = allocated(first, given === undefined ? undefined : Math.max(1, given - rest));
  const total = main.allocation.nodes + rest;
  const at = batch?.at ?? applications[0]?.at ?? draft.orchestrators[0]?.at;
  if (site.maxNodes !== undefined && total > site.maxNodes) {
    const message = `the job needs ${total} nodes, and site '${site.name}' gives at most ${site.maxNodes}`;
    problems.error('PLAN1001', message, at);
  }
  if (given !== undefined && total > given && others.length > 0) {
    const message = `job '${name}' needs ${total} nodes for ${others.length + 1} kinds of nodes, and has ${given}`;
    problems.error('PLAN1001', message, at, 'raise nodes in .batch()');
  }
  const roomOf = new Map(
    [main, ...others].flatMap(({ groups, allocation: { cpusPerNode } }) =>
      groups.flatMap((group) => group.applications.map((one) => [one, { ...group, cpusPerNode }] as const)),
    ),
  );
  const walltimeSeconds = walltimeOf({ name, batch, applications, sized, site, roomOf, perElement }, problems);
  const timed = (component: PlacedComponent): PlacedComponent =>
    walltimeSeconds === undefined
      ? component
      : { ...component, allocation: { ...component.allocation, walltimeSeconds } };
  return [timed(main), ...others.map(timed)];
}

/** The job array of an ensemble, or the number of its separate jobs; neither if its members are steps of one job. */
function arrayOf(
  application: ApplicationDeclaration,
  { sized, site, target }: Reads<'sized' | 'site' | 'target'>,
  problems: Problems,
): Pick<Draft, 'array' | 'separate'> {
  const { name, kind, batch } = application;
  const { oneNode, minArraySize } = target.capabilities;
  const { maxArraySize: ofSite } = siteOn(site, wishOf([application], batch));
  const maxArraySize = ofSite ?? target.capabilities.maxArraySize;
  const none = { array: undefined, separate: undefined };
  const limit = batch?.maxConcurrent === undefined ? {} : { maxConcurrent: batch.maxConcurrent };
  const count = (sized.get(application) as Sized).members.count;
  if (batch?.mode !== 'array' && batch?.mode !== 'separate') return none;
  if (kind !== 'ensemble') {
    const what = batch.mode === 'array' ? 'to make a job array of' : 'to submit one by one';
    problems.error('PLAN1002', `model '${name}' has no members ${what}`, batch.at, `leave out mode: '${batch.mode}'`);
    return none;
  }
  if (batch.mode === 'separate') {
    if (batch.maxConcurrent !== undefined) {
      const message = `'${name}': jobs that are submitted one by one know no maxConcurrent`;
      problems.warning('PLAN1002', message, batch.at, "use mode: 'array', or leave maxConcurrent to the queue");
    }
    return { array: undefined, separate: count };
  }
  // On one machine, or with fewer members than an array must have, one job runs all members. A scheduler that has no arrays refuses
  // instead: one job that is large enough for all elements is not what the user asked for.
  if (oneNode || count < minArraySize) return none;
  const perElement = Math.ceil(count / maxArraySize);
  return { array: { size: Math.ceil(count / perElement), perElement, ...limit }, separate: undefined };
}
