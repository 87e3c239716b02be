import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Compiled, compile, writeFolder } from '../../compiler/index.js';
import { type Problem, WorkflowError } from '../../diagnostics/index.js';
import { nodesOfQueue, parseWalltime, type Site, type SiteQueue, secondsOfQueue } from '../../ir/index.js';
import { targets } from '../../targets/registry.js';
import type { Target } from '../../targets/target.js';
import { ask } from '../doctor/ask.js';
import { defaultTimeoutSeconds } from '../jobs/scheduler.js';
import { testOnly } from '../jobs/test-only.js';
import { type Trial, trialWorkflow } from '../trial-workflow.js';
import { clusterDifferences } from './cluster-differences.js';

/** A small workflow for one of a site's queues, compiled; without a queue's name for a site that describes none. */
export interface CompiledTrial {
  readonly queue: string | undefined;
  readonly compiled: Compiled;
}

/** The scheduler's verdict on a small job for a queue. */
export interface QueueVerdict {
  readonly queue: string | undefined;
  readonly accepted: boolean;
  readonly says: string;
}

/** Verdicts of a scheduler on a site; or the reason why there are none. */
export interface Verdicts {
  readonly verdicts: readonly QueueVerdict[];
  readonly unasked?: string;
  /** Things that the site says and that the cluster does not have. */
  readonly differences: readonly Problem[];
}

/** A value in the place of one that the site requires and that only its users know. */
const placeholder = 'trial';

/** Compiles a small workflow for each of a site's queues. */
export function compileTrials(site: Site, account: string | undefined): CompiledTrial[] {
  const target: Target = targets[site.target];
  const queues: [string | undefined, SiteQueue][] = Object.entries(site.queues);
  const all = queues.length === 0 || target.capabilities.oneNode ? ([[undefined, {}]] satisfies typeof queues) : queues;
  return all.map(([queue, limits]) => {
    const nodes = nodesOfQueue(limits).least;
    const { gpus = 0 } = { ...site.node, ...limits.node };
    const trial: Trial = {
      ...valuesFor(site, account),
      ...(queue === undefined ? {} : { queue }),
      nodes,
      gpus: target.capabilities.gpus && gpus > 0 ? 1 : 0,
      walltimeSeconds: secondsFor(limits, nodes, parseWalltime(site.defaults.walltime ?? '')),
    };
    return { queue, compiled: compileOne(trial, site) };
  });
}

/** Ten minutes, or what the site gives as a rule, as far as the queue takes them. */
function secondsFor(limits: SiteQueue, nodes: number, usual: number | undefined): number {
  const { least, most } = secondsOfQueue(limits, nodes);
  return Math.max(least, Math.min(most, usual ?? Number.POSITIVE_INFINITY, 600));
}

/** The values that the site requires of every job. */
function valuesFor({ required, defaults }: Site, account: string | undefined): Partial<Trial> {
  const missing = required.filter((one) => one !== 'queue' && one !== 'walltime' && defaults[one] === undefined);
  const values = Object.fromEntries(missing.map((one) => [one, placeholder]));
  return { ...values, ...(account === undefined ? {} : { account }) };
}

/** Places in the trial say nothing to the site's author. */
function compileOne(trial: Trial, site: Site): Compiled {
  try {
    return compile(trialWorkflow(trial), site);
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    const [first, ...rest] = error.problems;
    throw new WorkflowError([withoutPlace(first), ...rest.map(withoutPlace)]);
  }
}

function withoutPlace(problem: Problem): Problem {
  return { ...problem, at: undefined };
}

/** Asks the scheduler, if it is here, about itself and for its verdict on each script. Nothing is submitted. */
export async function askScheduler(site: Site, trials: readonly CompiledTrial[]): Promise<Verdicts> {
  const target: Target = targets[site.target];
  const nothing = (unasked: string, differences: readonly Problem[] = []) => ({ verdicts: [], unasked, differences });
  if (target.probe === undefined) return nothing('there is no scheduler to ask');
  const { facts } = await target.probe(ask);
  if (!facts.answers) return nothing(`no ${target.name} answers on this machine`);
  const differences = clusterDifferences(site, facts);
  if (target.queries?.testOnly === undefined) {
    return nothing(`${target.name} gives no verdict on a script without running it`, differences);
  }
  const missing = trials.some(({ compiled }) =>
    compiled.plan.jobs.some(({ allocation }) => allocation.account === placeholder),
  );
  if (missing) return nothing('name an account with --account: the site takes no job without', differences);
  const verdicts: QueueVerdict[] = [];
  for (const { queue, compiled } of trials) verdicts.push(...(await verdictsOn(queue, compiled, target)));
  return { verdicts, differences };
}

async function verdictsOn(queue: string | undefined, compiled: Compiled, target: Target): Promise<QueueVerdict[]> {
  const folder = mkdtempSync(join(tmpdir(), 'simwright-site-'));
  try {
    const dir = join(folder, 'trial');
    writeFolder(dir, compiled.files, { force: false });
    const answers = await testOnly(
      { dir, plan: compiled.plan, target },
      { cwd: dir, timeoutSeconds: defaultTimeoutSeconds },
    );
    return answers.map(({ accepted, says }) => ({ queue, accepted, says }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
