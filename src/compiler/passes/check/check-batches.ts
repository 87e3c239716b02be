import { counted, escapeControls, type Problems } from '../../../diagnostics/index.js';
import { type ApplicationDeclaration, applicationsOf, type MlModelDeclaration } from '../../../ir/index.js';
import { backends } from '../../../ml/backends.js';
import type { Reads, Sized, StepSize } from '../compilation.js';
import { callOf, storesOfModel } from '../lookup/loaded-models.js';
import { atOnce, isSplit } from '../lookup/members-at-once.js';
import { EndOrder } from '../lookup/order.js';
import { placeOf } from '../lookup/placed-jobs.js';
import { type VisibleStore, visibleStores } from '../lookup/visible-stores.js';

type Input = Reads<'experiment' | 'facts' | 'sized' | 'jobs'>;

/** Tells of batches that a model refuses, that may never fill, or for which requests may wait without end. */
export function checkBatches(input: Input, problems: Problems): void {
  for (const application of applicationsOf(input.experiment)) {
    for (const model of application.mlModels) {
      checkModel(model, input, problems);
      checkFilling(model, storesOfModel(input.experiment, application, model), input, problems);
    }
  }
}

/** Batches are requests put together along their first dimension: a model has to take any size of it. */
function checkModel(model: MlModelDeclaration, { facts }: Input, problems: Problems): void {
  const { backend, batchSize } = model;
  if (batchSize === undefined) return;
  if (!backends[backend].batches) {
    const message = `${callOf(model)}: ${backend} models cannot run in batches`;
    problems.error('ML1011', message, model.at, 'leave out batchSize, minBatchSize and minBatchTimeout');
    return;
  }
  for (const { name, shape } of facts.mlModels.get(model)?.header.inputs ?? []) {
    const size = shape?.[0];
    if (typeof size !== 'number' || size >= batchSize) continue;
    const message = `${callOf(model)}: its input '${escapeControls(name ?? '')}' has ${counted(size, 'sample')}, no more and no less, so no batch of ${batchSize} can run`;
    const hint = 'leave out batchSize, or export the model with a first dimension that may vary (dynamic axes)';
    problems.warning('ML1011', message, model.at, hint);
    return;
  }
}

function checkFilling(
  model: MlModelDeclaration,
  stores: readonly VisibleStore[],
  input: Input,
  problems: Problems,
): void {
  const { minBatchSize = 1, minBatchTimeoutMs } = model;
  if (minBatchSize === 1) return;
  if (minBatchTimeoutMs === undefined) {
    const message = `${callOf(model)}: minBatchSize ${minBatchSize} has no minBatchTimeout, so the last requests wait for others that do not come`;
    problems.warning('ML1010', message, model.at, 'add minBatchTimeout, in milliseconds: minBatchTimeout: 10');
  }
  for (const store of stores) {
    const ranks = ranksAtOnce(store, input);
    if (ranks >= minBatchSize) continue;
    const which = store.kind === 'colocated' ? `each store colocated with '${store.name}'` : `store '${store.name}'`;
    const message = `${callOf(model)}: minBatchSize is ${minBatchSize}, and ${which} is seen by at most ${counted(ranks, 'rank')} at once, each with one request at a time`;
    const hint = `lower minBatchSize to ${ranks} or less, unless each request has several samples, which all count`;
    problems.warning('ML1010', message, model.at, hint);
  }
}

/** The most ranks that can send requests to a store at the same time; to one on each node, those of that node. */
function ranksAtOnce(store: VisibleStore, { experiment, sized, jobs }: Input): number {
  const applications = applicationsOf(experiment);
  const ranksOf = (size: StepSize) =>
    store.kind === 'colocated' ? Math.min(size.tasks, size.tasksPerNode) : size.tasks;
  return new EndOrder(applications).peak((application) => {
    if (!visibleStores(experiment, application).some(({ declaration }) => declaration === store.declaration)) return 0;
    const { launches, members } = sized.get(application) as Sized;
    const tasks = launches.reduce((sum, { size }) => sum + ranksOf(size), 0);
    if (launches.length > 1) return tasks * members.replicas;
    return tasks * membersAtOnce(application, sized.get(application) as Sized, placeOf(application, jobs).job.batch);
  });
}

/** The members of one launch that may run at the same time, in one job or in several. */
function membersAtOnce(
  application: ApplicationDeclaration,
  { members }: Sized,
  batch: Parameters<typeof atOnce>[1],
): number {
  if (!isSplit(application)) return atOnce(application, batch, members);
  return Math.min(members.count, application.batch?.maxConcurrent ?? Number.POSITIVE_INFINITY);
}
