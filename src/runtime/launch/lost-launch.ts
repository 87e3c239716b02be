import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { launchedFile } from '../job/paths.js';
import { identify, parentOf } from '../job/process-identity.js';
import { jobOf } from '../job/read-plan.js';
import { ownScript } from '../scheduler/own-script.js';

/**
 * Why no launch of an entity of this job can begin any more, in words: the script has started all that it launches, and nothing of it is left
 * that is, or may become, a launch of that entity. `undefined` while one may.
 */
export function lostLaunch(job: JobEnvironment, plan: Plan, entity: string): string | undefined {
  const processes = launchedProcesses(job);
  if (processes === undefined || processes.some((pid) => mayLaunch(pid, job.scriptPid, entity))) return undefined;
  const { script } = jobOf(plan, job.job);
  const lines = launchLines(ownScript(job, script), entity);
  if (lines.length === 0) return `${script} does not launch it`;
  return `its launch has gone before it began: ${lines.map((line) => `${script}:${line}`).join(', ')}`;
}

/** Processes that the script has started in the background; `undefined` until it has started all of them. */
function launchedProcesses(job: JobEnvironment): number[] | undefined {
  try {
    const [started, ...words] = readFileSync(launchedFile(job), 'utf8').trimEnd().split('\n');
    // The file is of an earlier start of the same job, or not complete yet.
    if (Number(started) !== job.startedSeconds || words.at(-1) !== 'end') return undefined;
    return words.slice(0, -1).map(Number);
  } catch {
    return undefined;
  }
}

/**
 * True for a launch of the entity, for the command that reports it as skipped, and for a shell that may become one: a launch with a setup
 * is a shell of the script's own until the setup is done.
 */
function mayLaunch(pid: number, scriptPid: number | undefined, entity: string): boolean {
  if (identify(pid) === undefined || (scriptPid !== undefined && parentOf(pid) !== scriptPid)) return false;
  try {
    const [program = '', bundle = '', verb, operand] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    if (!bundle.endsWith('simwright.mjs')) return basename(program) === 'bash';
    return (verb === 'launch' || verb === 'skip') && operand === entity;
  } catch {
    return false;
  }
}

/** Numbers of the lines that launch an entity. */
function launchLines(script: string, entity: string): number[] {
  return script
    .split('\n')
    .flatMap((line, index) => (/^\s*runtime launch ['"]?([^\s'"]+)/.exec(line)?.[1] === entity ? [index + 1] : []));
}
