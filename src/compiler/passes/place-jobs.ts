import type { Problems } from '../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  applicationsOf,
  type EntityDeclaration,
  type ExperimentDeclaration,
  type OrchestratorDeclaration,
  orchestratorsOf,
} from '../../ir/index.js';
import { type Allocated, allocate } from './allocate.js';
import type { Adds, PlacedComponent, PlacedJob, Reads } from './known.js';
import { groupBy } from './lookup/group-by.js';
import { topological } from './lookup/order.js';
import { jobsBefore } from './lookup/placed-jobs.js';
import { nodesOwner, requirement } from './lookup/shared-nodes.js';
import { walltimeOf } from './walltime.js';

/** A job before its nodes are known. */
type Draft = Omit<PlacedJob, 'components'>;

/**
 * Puts everything into jobs: an entity with a `.batch()` of its own into one each, together with those that share its nodes; the others
 * into the experiment's. Jobs come in an order in which each follows those it waits for.
 */
export function placeJobs(known: Reads<'experiment' | 'sized' | 'site' | 'target'>, problems: Problems): Adds<'jobs'> {
  const { experiment } = known;
  const { mode } = experiment.batch ?? {};
  if (mode === 'array' || mode === 'separate') {
    const what = mode === 'array' ? 'a job array' : 'submitted once a member';
    const hint = `describe the ensemble's own job: .ensemble(…).batch({ mode: '${mode}' })`;
    problems.error('PLAN1002', `the experiment's own job cannot be ${what}`, experiment.batch?.at, hint);
  }
  const applications = applicationsOf(experiment);
  const drafts = draftJobs(experiment, (application) => arrayOf(application, known, problems));
  const jobs = drafts.map((draft): PlacedJob => ({ ...draft, components: componentsOf(draft, known, problems) }));
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
    if (entity.kind !== 'orchestrator' && isHome(entity)) {
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
    } else if (entity.kind === 'orchestrator' && entity.batch !== undefined) {
      const { name, batch } = entity;
      drafts.push({ name, batch, applications: [], orchestrators: [entity], array: undefined, separate: undefined });
    } else if (entity.kind !== 'orchestrator' && entity.batch !== undefined) {
      const { name, batch } = entity;
      const together = byOwner.get(entity) ?? [];
      drafts.push({ name, batch, applications: together, orchestrators: [], ...splitOf(entity) });
    }
  }
  return drafts;
}

/** Groups what runs in a job by what it requires of its nodes; what requires nothing comes first. */
function componentsOf(
  draft: Draft,
  known: Reads<'experiment' | 'sized' | 'site' | 'target'>,
  problems: Problems,
): readonly [PlacedComponent, ...PlacedComponent[]] {
  const { experiment, sized, site } = known;
  const perElement = draft.array?.perElement ?? 1;
  const keyOf = (entity: EntityDeclaration) => {
    const owner = entity.kind === 'orchestrator' ? entity : nodesOwner(experiment, entity);
    return requirement(owner) ?? '';
  };
  // A store that requires nothing takes the first nodes there are.
  const plainApplications = new Set(draft.applications.map(keyOf));
  const [firstKey = ''] = plainApplications;
  const storeKey = (entity: OrchestratorDeclaration) => {
    const key = keyOf(entity);
    return key === '' && !plainApplications.has('') ? firstKey : key;
  };
  const keys = [...new Set([...draft.applications.map(keyOf), ...draft.orchestrators.map(storeKey)])].sort(
    (a, b) => Number(a !== '') - Number(b !== ''),
  );
  const applicationsByKey = groupBy(draft.applications, keyOf);
  const storesByKey = groupBy(draft.orchestrators, storeKey);
  const groups = keys.map((key) => ({
    applications: applicationsByKey.get(key) ?? [],
    orchestrators: storesByKey.get(key) ?? [],
  }));
  const bare = (group: (typeof groups)[number], nodes: number | undefined) =>
    allocate({ ...known, batch: draft.batch, ...group, nodes, perElement }, problems);
  const further = groups.slice(1).map((group) => bare(group, undefined));
  const rest = further.reduce((sum, { nodes }) => sum + nodes, 0);
  const given = draft.batch?.nodes;
  const first = groups[0] ?? { applications: [], orchestrators: [] };
  const allocations = [bare(first, given === undefined ? undefined : Math.max(1, given - rest)), ...further];
  const numberOf = new Map(groups.flatMap(({ applications }, number) => applications.map((one) => [one, number])));
  const total = allocations.reduce((sum, { nodes }) => sum + nodes, 0);
  const at = draft.batch?.at ?? draft.applications[0]?.at ?? draft.orchestrators[0]?.at;
  if (site.maxNodes !== undefined && total > site.maxNodes) {
    const message = `the job needs ${total} nodes, and site '${site.name}' gives at most ${site.maxNodes}`;
    problems.error('PLAN1001', message, at);
  }
  if (given !== undefined && total > given && groups.length > 1) {
    const message = `job '${draft.name}' needs ${total} nodes for ${groups.length} kinds of nodes, and has ${given}`;
    problems.error('PLAN1001', message, at, 'raise nodes in .batch()');
  }
  const walltimeSeconds = walltimeOf({
    batch: draft.batch,
    applications: draft.applications,
    sized,
    site,
    allocationOf: (one) => allocations[numberOf.get(one) ?? 0] as Allocated,
    perElement,
  });
  const [main, ...others] = allocations.map(({ nodesApart, ...one }, index) => ({
    allocation: walltimeSeconds === undefined ? one : { ...one, walltimeSeconds },
    nodesApart,
    ...(groups[index] ?? first),
  }));
  return [main as PlacedComponent, ...others];
}

/** How an ensemble's members meet the scheduler, where not as steps of one job. */
function arrayOf(
  application: ApplicationDeclaration,
  { sized, site, target }: Reads<'sized' | 'site' | 'target'>,
  problems: Problems,
): Pick<Draft, 'array' | 'separate'> {
  const { name, kind, batch } = application;
  const { oneNode, minArraySize } = target.capabilities;
  const maxArraySize = site.maxArraySize ?? target.capabilities.maxArraySize;
  const none = { array: undefined, separate: undefined };
  const limit = batch?.maxConcurrent === undefined ? {} : { maxConcurrent: batch.maxConcurrent };
  const count = sized.get(application)?.members.count ?? 1;
  if (batch?.mode !== 'array' && batch?.mode !== 'separate') return none;
  if (kind === 'model') {
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
  // On one machine, or with fewer members than an array must have, one job runs them all. A scheduler without arrays refuses: what one
  // element takes, times their number, is another job than the user asked for.
  if (oneNode || count < minArraySize) return none;
  const perElement = Math.ceil(count / maxArraySize);
  return { array: { size: Math.ceil(count / perElement), perElement, ...limit }, separate: undefined };
}
