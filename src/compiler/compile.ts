import { basename } from 'node:path';
import { type Problem, Problems } from '../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  type Authored,
  applicationsOf,
  type ExperimentDeclaration,
  Plan,
  type Site,
} from '../ir/index.js';
import { targets } from '../targets/registry.js';
import { launcherOf, type Target } from '../targets/target.js';
import { emitFiles, type OutputFile } from './emit/emit-files.js';
import type { ScriptInput } from './emit/job-script.js';
import { type Facts, inspectFiles } from './inspect/index.js';
import { packageVersion } from './package-version.js';
import {
  checkFiles,
  checkNames,
  checkStores,
  checkTemplates,
  expandAxes,
  fitOneNode,
  lower,
  placeJobs,
  type Sized,
  sizeStep,
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
}

/** What is compiled: an experiment's record, and the file it came from, whose folder relative paths start at. */
export interface CompileInput extends Authored<ExperimentDeclaration> {
  readonly file: string;
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
  const experiment = target.capabilities.oneNode ? fitOneNode(input.declaration) : input.declaration;
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
  checkStores(experiment, problems);
  checkFiles(experiment, facts, problems);
  checkTemplates(experiment, facts, problems);
  const sized = sizeAll(experiment, site, problems);
  checkLaunches(sized, site, target, problems);
  // Jobs are placed over an experiment whose names and references hold.
  problems.throwIfErrors();
  const jobs = placeJobs(experiment, sized, site, { ...target.capabilities, ...arrayLimit(site) }, problems);
  problems.throwIfErrors();
  const plan = lower(
    {
      experiment,
      workflow: basename(file),
      version: packageVersion(),
      site,
      facts,
      sized,
      jobs,
      scriptOf: ({ name }) => `jobs/${name}.${target.scriptExtension}`,
    },
    problems,
  );
  problems.throwIfErrors();
  const steps = new Map(
    [...sized].map(([application, { size }]) => {
      const { maxConcurrent } = application.batch ?? experiment.batch ?? {};
      return [application.name, { application, size, maxConcurrent }];
    }),
  );
  const script = { plan: Plan.parse(plan), site, target, steps };
  const files = emitFiles(script, artifactsOf(facts));
  return { plan: script.plan, target, files, script, warnings: problems.sorted() };
}

function sizeAll(
  experiment: ExperimentDeclaration,
  site: Site,
  problems: Problems,
): Map<ApplicationDeclaration, Sized> {
  return new Map(
    applicationsOf(experiment).map((application) => [
      application,
      { size: sizeStep(application, site, problems), members: expandAxes(application) },
    ]),
  );
}

function checkLaunches(
  sized: ReadonlyMap<ApplicationDeclaration, Sized>,
  site: Site,
  target: Target,
  problems: Problems,
): void {
  const launcher = launcherOf(target, site);
  if (!target.launchers.includes(launcher)) {
    const message = `site '${site.name}' launches by ${launcher}, and ${target.name} jobs cannot`;
    problems.error('PLAN1002', message, undefined, `${target.name} launches by: ${target.launchers.join(', ')}`);
  }
  for (const [{ name, command }, { size }] of sized) {
    if (launcher === 'none' && (size.tasks > 1 || size.nodes > 1)) {
      const message = `'${name}' has ${size.tasks} tasks, and site '${site.name}' has no launcher to start them`;
      problems.error('PLAN1002', message, command.at, 'give the site a launcher, or the command one task');
    }
  }
}

/** The site's own limit of array elements, if it names one. */
function arrayLimit({ maxArraySize }: Site): { readonly maxArraySize?: number } {
  return maxArraySize === undefined ? {} : { maxArraySize };
}

function artifactsOf(facts: Facts) {
  const attached = [...facts.attached.values()].flat().flatMap((file) => {
    if (file.kind === 'directory') return [];
    if (file.kind === 'symlink') return typeof file.target === 'string' ? [] : [file.target];
    return [file.artifact];
  });
  return [...attached, ...[...facts.mlModels.values()].map(({ artifact }) => artifact)];
}
