import { basename } from 'node:path';
import { type ErrorCode, type Problem, Problems } from '../diagnostics/index.js';
import { type Authored, type ExperimentDeclaration, Plan, type Site } from '../ir/index.js';
import { launchers } from '../targets/launchers/index.js';
import { targets } from '../targets/registry.js';
import { gatherArtifacts, makeLauncherFiles } from './artifacts.js';
import { emitFiles, type OutputFile } from './emit/emit-files.js';
import { inspectFiles } from './inspect/index.js';
import { packageVersion } from './package-version.js';
import { checkApplications } from './passes/check/check-applications.js';
import { checkBatches } from './passes/check/check-batches.js';
import { checkColocated } from './passes/check/check-colocated.js';
import { checkComponents } from './passes/check/check-components.js';
import { checkCpus } from './passes/check/check-cpus.js';
import { checkDeadLocks } from './passes/check/check-dead-locks.js';
import { checkDevices } from './passes/check/check-devices.js';
import { checkFiles } from './passes/check/check-files.js';
import { checkIncoming } from './passes/check/check-incoming.js';
import { checkJobs } from './passes/check/check-jobs.js';
import { checkKeys } from './passes/check/check-keys.js';
import { checkLaunches } from './passes/check/check-launches.js';
import { checkModelTypes } from './passes/check/check-model-types.js';
import { checkNames } from './passes/check/check-names.js';
import { checkQueues } from './passes/check/check-queues.js';
import { checkRay } from './passes/check/check-ray.js';
import { checkReaders } from './passes/check/check-readers.js';
import { checkRunnable } from './passes/check/check-runnable.js';
import { checkScriptHost } from './passes/check/check-script-host.js';
import { checkSharing } from './passes/check/check-sharing.js';
import { checkStores } from './passes/check/check-stores.js';
import { checkTemplates } from './passes/check/check-templates.js';
import type { Reads } from './passes/compilation.js';
import { fitOneNode } from './passes/fit-one-node.js';
import { heedDirectives } from './passes/heed-directives.js';
import { launchApplications } from './passes/launch-applications.js';
import { launchStores } from './passes/launch-stores.js';
import { notesOnFiles } from './passes/lookup/attached-files.js';
import { lower } from './passes/lower.js';
import { placeJobs } from './passes/place-jobs.js';
import { sizeLaunches } from './passes/size-launches.js';
import { Passes } from './passes.js';

/** A compiled experiment, ready to be written to a folder. */
export interface Compiled {
  readonly plan: Plan;
  readonly files: readonly OutputFile[];
  /** Warnings. */
  readonly warnings: readonly Problem[];
  /** Notes for `preview`: how the compiler understood declarations that have two meanings. */
  readonly notes: readonly string[];
}

/** Input of the compiler: an experiment, and its file. Relative paths start at that file's folder. */
export interface CompileInput extends Authored<ExperimentDeclaration> {
  readonly file: string;
  /** Files of the site and of those that it extends. */
  readonly siteFiles?: readonly string[];
  /** Version of Simwright that plan and scripts show. @default this one */
  readonly version?: string;
}

/** Input of the first pass. */
type Start = Reads<'declaration' | 'workflow' | 'version' | 'site' | 'target' | 'launchers'>;

/** Codes of errors in names, references and in who shares what: without these nobody can say which jobs there are. */
const reliedOn: ReadonlySet<ErrorCode> = new Set([
  ...(['DSL1002', 'DSL1003', 'DSL1009', 'REF1001', 'REF1002'] as const),
  ...(['PLAN1003', 'PLAN1006', 'STORE1001', 'STORE1003'] as const),
]);
const isReliedOn = ({ code }: Problem): boolean => reliedOn.has(code);
/** True for these, and for errors in jobs that no scheduler of the site has: each of their launches would be refused for the same cause. */
const isReliedOnForLaunches = (problem: Problem): boolean => isReliedOn(problem) || problem.code === 'PLAN1002';

/**
 * Compiles an experiment in memory: declaration → facts → plan → files.
 *
 * @throws WorkflowError with every problem there is.
 */
export function compile(input: CompileInput, site: Site): Compiled {
  const { declaration, file, siteFiles = [], version = packageVersion() } = input;
  const problems = new Problems();
  problems.add(input.problems);
  const start = { declaration, workflow: basename(file), version, site, target: targets[site.target], launchers };
  const { results } = new Passes<Start>(start, problems)
    .add(fitOneNode)
    .add(heedDirectives)
    .add(({ experiment }) => ({ facts: inspectFiles(experiment, file) }))
    .check(checkApplications, checkNames, checkSharing, checkStores, checkKeys, checkReaders, checkRay)
    .check(checkFiles, checkModelTypes, checkTemplates, checkDevices)
    .add(sizeLaunches)
    .check(checkLaunches)
    .stopOnErrors(isReliedOn)
    .check(checkDeadLocks)
    .add(placeJobs)
    .check(checkComponents, checkQueues)
    .stopOnErrors(isReliedOnForLaunches)
    .check(checkCpus, checkScriptHost, checkColocated, checkIncoming, checkBatches)
    .add(launchApplications)
    .add(launchStores)
    .add(makeLauncherFiles)
    .add(lower)
    .check(checkRunnable, checkJobs)
    .stopOnErrors();
  const plan = Plan.parse(results.plan);
  const { artifacts, access } = gatherArtifacts(results, [file, ...siteFiles]);
  return {
    plan,
    files: emitFiles(plan, artifacts, access),
    warnings: problems.sorted(),
    notes: notesOnFiles(results),
  };
}
