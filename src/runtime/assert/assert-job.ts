import { type Problem, renderProblem, WorkflowError } from '../../diagnostics/index.js';
import { type Entity, engines, type Plan, type Store } from '../../ir/index.js';
import { launcherOfProgram } from '../../targets/launchers/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobOf } from '../job/read-plan.js';
import { allocationOf, checkAllocation } from './allocation.js';
import { checkArtifacts } from './artifacts.js';
import { checkNodeVersion } from './node-version.js';
import { checkOnnxRuntime } from './onnx-runtime.js';
import { checkRunFolder, checkTmp } from './places.js';
import { checkProgram } from './programs.js';
import { checkPython } from './python.js';
import { reportOnce } from './report-once.js';
import { checkListenPlaces } from './stores.js';
import { checkVariables } from './variables.js';

/** Arguments of a job's first verb that tell something about the surroundings. */
interface Call {
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Compares what the job got with what its plan needs, all stores included, when its first store starts; throws the whole difference at once.
 * Scripts start a job's stores first, one after the other, so that nothing has been done by then.
 */
export async function assertForStore(
  job: JobEnvironment,
  plan: Plan,
  store: Store,
  call: Call & { readonly launch: readonly string[]; readonly bundle: string },
): Promise<void> {
  const planned = jobOf(plan, job.job);
  const isFirst = planned.stores[0] === store.name;
  // The setup of a store may load the module with its Python: that shows in its own `up` alone.
  if (!isFirst && store.setup === undefined) return;
  const stores = isFirst ? plan.stores.filter(({ name }) => planned.stores.includes(name)) : [store];
  // RedisAI brings its own frameworks.
  const withOurs = stores.filter(({ engine }) => engines[engine].hasAiLayer);
  const python = await checkPython(
    plan,
    withOurs.filter((one) => one === store || one.setup === undefined),
  );
  const onnx = await checkOnnxRuntime(plan, job.dir, call.bundle, call.env, withOurs, python.python);
  const problems = withoutNotes([
    ...(isFirst ? await checkStart(job, plan, store, stores, call) : []),
    ...onnx,
    ...python.problems,
  ]);
  const [first, ...rest] = problems;
  if (first !== undefined) throw new WorkflowError([first, ...rest]);
  if (python.said !== undefined) process.stdout.write(`simwright: ${python.said}\n`);
}

/** Checks the parts that the job's first store needs beside ONNX Runtime and Python. */
async function checkStart(
  job: JobEnvironment,
  plan: Plan,
  store: Store,
  stores: readonly Store[],
  call: Call & { readonly launch: readonly string[] },
): Promise<Problem[]> {
  return [
    ...checkJob(job, plan, call.launch, call.env),
    ...checkProgram(call.launch, `store '${store.name}'`, call.env['PATH']),
    ...checkRunFolder(job.dir),
    ...checkTmp(),
    ...(await checkListenPlaces(job, plan, stores)),
  ];
}

/** A launch, as far as it says something about the surroundings. */
type LaunchCall = Call & { readonly line: readonly string[] };

/** The same for a job without stores, at each of its launches; and for every launch that its launcher is there. */
export function assertForLaunch(job: JobEnvironment, plan: Plan, entity: Entity, call: LaunchCall): void {
  const [first, ...rest] = checkLaunch(job, plan, entity, call);
  if (first !== undefined) throw reportOnce(job, [first, ...rest]);
}

/** Throws OUT1002, with what else there is, where `run/` cannot be written: not even that could be recorded there. */
export function assertRunFolder(job: JobEnvironment, plan: Plan, entity: Entity, call: LaunchCall): void {
  const [problem] = checkRunFolder(job.dir);
  if (problem !== undefined) throw new WorkflowError([problem, ...checkLaunch(job, plan, entity, call)]);
}

function checkLaunch(job: JobEnvironment, plan: Plan, entity: Entity, call: LaunchCall): Problem[] {
  const planned = jobOf(plan, job.job);
  const problems = planned.stores.length > 0 ? [] : checkJob(job, plan, call.line, call.env);
  const isFirst = planned.entities[0] === entity.name;
  return [...(isFirst ? withoutNotes(problems) : errorsOf(problems)), ...launcherOf(entity, call)];
}

function checkJob(job: JobEnvironment, plan: Plan, line: readonly string[], env: NodeJS.ProcessEnv): Problem[] {
  const planned = jobOf(plan, job.job);
  return [
    ...checkNodeVersion(process.versions.node),
    ...checkVariables(plan, planned, env),
    ...checkAllocation(plan, planned, allocationOf(job, plan, env), line[0]),
    ...checkArtifacts(job.dir, plan, planned),
  ];
}

/** Launchers are there from the start, or never. A program of the user's own may be staged, or made by what the launch waits for. */
function launcherOf(entity: Entity, { line, env }: LaunchCall): Problem[] {
  if (launcherOfProgram(line[0]) === undefined) return [];
  const setsPath = [entity.env, ...(entity.memberEnv ?? [])].some((variables) => variables['PATH'] !== undefined);
  return setsPath ? [] : checkProgram(line, `'${entity.name}'`, env['PATH']);
}

function errorsOf(problems: readonly Problem[]): Problem[] {
  return problems.filter(({ severity }) => severity === 'error');
}

/** The errors; what is no error is printed. */
function withoutNotes(problems: readonly Problem[]): Problem[] {
  for (const problem of problems) {
    if (problem.severity === 'warning') process.stderr.write(`${renderProblem(problem, { cwd: process.cwd() })}\n`);
  }
  return errorsOf(problems);
}
