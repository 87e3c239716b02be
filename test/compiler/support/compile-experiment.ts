import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { type Compiled, checkSite, compile } from '../../../src/compiler/index.js';
import { type Problem, WorkflowError } from '../../../src/diagnostics/index.js';
import {
  type AuthoredExperiment,
  authoredExperiment,
  type Plan,
  type SiteInput,
  TargetName,
} from '../../../src/ir/index.js';
import { targets } from '../../../src/targets/registry.js';
import { chosenNames } from '../../targets/support.js';

/** Every target. */
export const targetNames = TargetName.options;

/** Those that hand on secrets. */
export const secretiveNames = targetNames.filter((name) => targets[name].capabilities.handsOnVariables);

/** Compiles an experiment for a site, given whole or by its target. */
export function compileFor(site: TargetName | SiteInput, experiment: AuthoredExperiment): Compiled {
  const input = typeof site === 'string' ? { name: site, target: site, ...chosenNames[site] } : site;
  return compile(
    { ...experiment[authoredExperiment], file: import.meta.filename },
    checkSite(input, input.name, undefined),
  );
}

/** Text files by path. */
export function textsOf({ files }: Compiled): Record<string, string> {
  return Object.fromEntries(
    files.flatMap(({ path, content }) => (typeof content === 'string' ? [[path, content]] : [])),
  );
}

/** The script of a job. */
export function scriptOf(compiled: Compiled, job: string): string {
  const { script } = compiled.plan.jobs.find(({ name }) => name === job) ?? { script: '' };
  const text = textsOf(compiled)[script];
  if (text === undefined) throw new Error(`there is no script of job ${job}`);
  return text;
}

/** Lines that the application's runtime calls stand on, continued lines joined. */
export function runtimeLines(script: string): string[] {
  return script
    .replace(/ \\\n\s+/g, ' ')
    .split('\n')
    .filter((line) => /^\s*(\d+\) )?runtime (up|launch|hold)/.test(line))
    .map((line) => line.trim());
}

/** Problems that compiling meets. */
export function problemsOf(site: TargetName | SiteInput, experiment: AuthoredExperiment): readonly Problem[] {
  try {
    compileFor(site, experiment);
  } catch (error) {
    if (error instanceof WorkflowError) return error.problems;
    throw error;
  }
  return [];
}

/** Codes and messages of {@link problemsOf}. */
export function messagesOf(site: TargetName | SiteInput, experiment: AuthoredExperiment): string[] {
  return problemsOf(site, experiment).map(({ code, message }) => `${code} ${message}`);
}

/** What bash and shellcheck have to say of an experiment's scripts. */
export function lint(compiled: Compiled): string {
  const folder = mkdtempSync(join(tmpdir(), 'simwright-lint-'));
  try {
    return lintIn(folder, compiled);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function lintIn(folder: string, compiled: Compiled): string {
  const files = Object.entries(textsOf(compiled)).flatMap(([path, text]) => {
    if (path === 'plan.json') return [];
    const file = join(folder, path.replaceAll('/', '_'));
    writeFileSync(file, text);
    return [file];
  });
  const parsed = files.map((file) => execaSync('bash', ['-n', file], { reject: false }).stderr).join('');
  return parsed + execaSync('shellcheck', ['--norc', ...files], { reject: false }).stdout;
}

/** An entity of a plan. */
export function entityOf({ entities }: Plan, name: string): Plan['entities'][number] {
  const found = entities.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the plan has no entity ${name}`);
  return found;
}
