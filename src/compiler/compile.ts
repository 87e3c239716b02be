import { basename } from 'node:path';
import { type Problem, Problems } from '../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  type Authored,
  applicationsOf,
  type ExperimentDeclaration,
  everybody,
  type LauncherName,
  Plan,
  type Site,
} from '../ir/index.js';
import { launchers } from '../targets/launchers/index.js';
import { jobRefusals } from '../targets/refusals.js';
import { sharesNodes, targets } from '../targets/registry.js';
import { launcherOf, type Target } from '../targets/target.js';
import { emitFiles, type OutputFile } from './emit/emit-files.js';
import type { EmittedStep, EmittedStore, ScriptInput } from './emit/job-script.js';
import { type LaunchWords, launchWords } from './emit/launch-words.js';
import { type Artifact, accessOf, bytesArtifact, type Facts, inspectFiles, mergeArtifacts } from './inspect/index.js';
import { packageVersion } from './package-version.js';
import {
  checkCpus,
  checkDevices,
  checkFiles,
  checkKeys,
  checkLaunches,
  checkModels,
  checkNames,
  checkReaders,
  checkRunnable,
  checkSharing,
  checkStores,
  checkTemplates,
  entityNamed,
  expandAxes,
  fitOneNode,
  largest,
  lower,
  notesOnFiles,
  placeJobs,
  type Sized,
  sizeLaunches,
} from './passes/index.js';

/** An experiment, ready to be written to a folder. */
export interface Compiled {
  readonly plan: Plan;
  readonly target: Target;
  readonly files: readonly OutputFile[];
  /** What the scripts were made from. */
  readonly script: ScriptInput;
  /** Doubts that do not stop anything. */
  readonly warnings: readonly Problem[];
  /** Choices of the compiler where a workflow can be understood in two ways, for `preview`. */
  readonly notes: readonly string[];
}

/** What is compiled: an experiment's record, and the file it came from, whose folder relative paths start at. */
export interface CompileInput extends Authored<ExperimentDeclaration> {
  readonly file: string;
  /** The site's own file, if it has one. */
  readonly siteFile?: string | undefined;
  /** Version of Simwright that plan and scripts name. @default this one */
  readonly version?: string;
}

/**
 * Declaration → facts → plan → files, all in memory.
 *
 * @throws WorkflowError with every problem there is.
 */
export function compile(input: CompileInput, site: Site): Compiled {
  const { file } = input;
  const problems = new Problems();
  problems.add(input.problems);
  const target: Target = targets[site.target];
  const { oneNode } = target.capabilities;
  const experiment = oneNode ? fitOneNode(input.declaration, target.launchers) : input.declaration;
  const facts = inspectFiles(experiment, file);
  if (applicationsOf(experiment).length === 0) {
    problems.error(
      'PLAN1003',
      `experiment '${experiment.name}' has nothing to run`,
      experiment.at,
      'add a .model() or an .ensemble()',
    );
  }
  checkNames(experiment, problems);
  checkSharing(experiment, problems);
  checkStores(experiment, problems);
  checkKeys(experiment, problems);
  checkReaders(experiment, problems);
  checkFiles(experiment, facts, problems);
  checkModels(experiment, facts, problems);
  checkTemplates(experiment, facts, problems);
  checkDevices(experiment, site, problems);
  const sized = sizeAll(experiment, site, oneNode, problems);
  checkLaunches(sized, site, launcherOf(target, site), target, problems);
  // Jobs are placed over an experiment whose names and references hold.
  problems.throwIfErrors();
  const jobs = placeJobs(experiment, sized, site, { ...target.capabilities, ...arrayLimit(site) }, problems);
  problems.throwIfErrors();
  const bindsWithinLaunch = (launcher: LauncherName) => launchers[launcher].bindsWithinLaunch === true;
  if (!oneNode) {
    checkCpus({ experiment, sized, jobs, site, siteLauncher: launcherOf(target, site), bindsWithinLaunch }, problems);
  }
  const words = launchWords({ experiment, sized, jobs, site, target }, problems);
  const launcherArtifacts = artifactsOfLaunchers(words.applications);
  const plan = lower(
    {
      experiment,
      workflow: basename(file),
      version: input.version ?? packageVersion(),
      site,
      facts,
      sized,
      jobs,
      oneNode,
      launcherFiles: new Map(
        applicationsOf(experiment).map((application) => [
          application,
          (launcherArtifacts.get(application.name) ?? []).map(({ to, artifact }) => ({ to, artifact: artifact.path })),
        ]),
      ),
      scriptOf: ({ name }) => `jobs/${name}.${target.scriptExtension}`,
    },
    problems,
  );
  checkRunnable(experiment, plan.stores, problems);
  checkJobs(plan, experiment, site, target, problems);
  problems.throwIfErrors();
  const script = { plan: Plan.parse(plan), site, target, ...emittedOf(experiment, words) };
  const artifacts = [...artifactsOf(facts), ...[...launcherArtifacts.values()].flat().map(({ artifact }) => artifact)];
  const files = emitFiles(script, mergeArtifacts(artifacts), accessTo(input, artifacts));
  return {
    plan: script.plan,
    target,
    files,
    script,
    warnings: problems.sorted(),
    notes: notesOnFiles(experiment, facts),
  };
}

/** Permission bits that all files have in common that the plan is made from. */
function accessTo({ file, siteFile }: CompileInput, artifacts: readonly Artifact[]): number {
  const modes = [file, ...(siteFile === undefined ? [] : [siteFile])].map(accessOf);
  return [...modes, ...artifacts.map(({ mode }) => mode)].reduce((all, one) => all & one, everybody);
}

function sizeAll(
  experiment: ExperimentDeclaration,
  site: Site,
  oneNode: boolean,
  problems: Problems,
): Map<ApplicationDeclaration, Sized> {
  const siteLauncher = launcherOf(targets[site.target], site);
  return new Map(
    applicationsOf(experiment).map((application) => {
      const launches = sizeLaunches(application, site, oneNode, problems);
      const ownsNodes = launches.every(
        ({ programs }) => !oneNode && !sharesNodes(programs[0].command.launcher ?? siteLauncher),
      );
      return [
        application,
        { size: largest(launches), launches, members: expandAxes(application, problems), ownsNodes },
      ];
    }),
  );
}

/** What a job asks for that the scheduler has no words for. */
function checkJobs(
  plan: Plan,
  experiment: ExperimentDeclaration,
  site: Site,
  target: Target,
  problems: Problems,
): void {
  for (const job of plan.jobs) {
    const entities = [...job.entities, ...job.stores].flatMap((name) => entityNamed(experiment, name) ?? []);
    const at = entities.find(({ batch }) => batch !== undefined)?.batch?.at ?? experiment.batch?.at ?? entities[0]?.at;
    for (const { notSupported, hint } of jobRefusals(job, target, launcherOf(target, site))) {
      problems.error('PLAN1002', `job '${job.name}': ${notSupported}`, at, hint);
    }
  }
}

/** Scripts' own view of applications and stores. */
function emittedOf(
  experiment: ExperimentDeclaration,
  words: ReturnType<typeof launchWords>,
): Pick<ScriptInput, 'steps' | 'stores'> {
  const steps = new Map<string, EmittedStep>();
  const stores = new Map<string, EmittedStore>();
  for (const entity of experiment.entities) {
    const store = words.stores.get(entity.name);
    // A colocated store starts as the job does; the entity's own setup is for its application.
    if (store !== undefined) {
      stores.set(entity.name, { ...store, setup: entity.kind === 'orchestrator' ? entity.setup : undefined });
    }
    const launch = words.applications.get(entity.name);
    if (launch === undefined) continue;
    const { maxConcurrent } = entity.batch ?? experiment.batch ?? {};
    steps.set(entity.name, { ...launch, maxConcurrent, setup: entity.setup });
  }
  return { steps, stores };
}

/** Files that launchers read, as artifacts, by application. */
function artifactsOfLaunchers(applications: ReadonlyMap<string, LaunchWords>) {
  return new Map(
    [...applications].map(([name, { files }]) => [
      name,
      Object.entries(files).map(([to, text]): { readonly to: string; readonly artifact: Artifact } => ({
        to,
        artifact: bytesArtifact(to, Buffer.from(text)),
      })),
    ]),
  );
}

/** The site's own limit of array elements, if it names one. */
function arrayLimit({ maxArraySize }: Site): { readonly maxArraySize?: number } {
  return maxArraySize === undefined ? {} : { maxArraySize };
}

function artifactsOf(facts: Facts): Artifact[] {
  const attached = [...facts.attached.values()].flat().flatMap((file) => {
    if (file.kind === 'directory') return [];
    if (file.kind === 'symlink') return typeof file.target === 'string' ? [] : [file.target];
    return [file.artifact];
  });
  return [...attached, ...[...facts.mlModels.values()].map(({ artifact }) => artifact), ...facts.scripts.values()];
}
