import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { type Compiled, pythonFiles, runtimeFiles, writeFolder } from '../../src/compiler/index.js';
import type { AuthoredExperiment, SiteInput, TargetName } from '../../src/ir/index.js';
import type { RehearsalRecord } from '../../src/rehearse/record.js';
import { type RehearseOptions, rehearse } from '../../src/rehearse/rehearse.js';
import { compileFor } from '../compiler/support/compile-experiment.js';
import { root } from '../compiler/support/compile-fixture.js';

/** A compiled folder of a test, removed when the test has ended. */
export interface CompiledFolder {
  readonly dir: string;
  /** Changes a file, once; fails if nothing changes. */
  change(path: string, from: string | RegExp, to: string): void;
  read(...path: readonly string[]): string;
}

/** Compiles an experiment into a folder below `parent`, with the runtime. Tests that run side by side each have a context of their own. */
export function compiled(
  { onTestFinished }: TestContext,
  experiment: AuthoredExperiment,
  site: TargetName | SiteInput = 'slurm',
  parent = tmpdir(),
): CompiledFolder {
  const workspace = realpathSync(mkdtempSync(join(parent, 'simwright-test-')));
  onTestFinished(() => rmSync(workspace, { recursive: true, force: true }));
  const dir = join(workspace, 'out');
  writeFolder(dir, [...compileFor(site, experiment).files, ...runtimeFiles()]);
  return {
    dir,
    change: (path, from, to) => {
      const before = readFileSync(join(dir, path), 'utf8');
      const after = before.replace(from, to);
      if (after === before) throw new Error(`${path} has nothing like ${from}:\n${before}`);
      writeFileSync(join(dir, path), after);
    },
    read: (...path) => readFileSync(join(dir, ...path), 'utf8'),
  };
}

/** Rehearses a folder in DIR/rehearsal. */
export async function rehearsed(
  { dir }: CompiledFolder,
  options: Partial<RehearseOptions> = {},
): Promise<RehearsalRecord & { readonly said: readonly string[] }> {
  const said: string[] = [];
  const record = await rehearse({
    dir,
    into: join(dir, 'rehearsal'),
    progress: (text) => said.push(text),
    ...options,
  });
  return { ...record, said };
}

/** Rehearses a compiled workflow whose applications are not here; `logs` tells all that was said. */
export async function rehearseWithStubs(
  compiled: Compiled,
  { onTestFinished }: TestContext,
  variables: Readonly<Record<string, string>> = {},
): Promise<{ readonly record: RehearsalRecord; readonly logs: () => string }> {
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), 'simwright-test-')));
  onTestFinished(() => rmSync(workspace, { recursive: true, force: true }));
  const dir = join(workspace, 'out');
  writeFolder(dir, [...compiled.files, ...runtimeFiles(), ...pythonFiles()]);
  const said: string[] = [];
  const into = join(dir, 'rehearsal');
  const record = await rehearse({
    dir,
    into,
    stubSeconds: 0.05,
    progress: (text) => said.push(text),
    env: { ...process.env, SIMWRIGHT_HOME: root, SIMWRIGHT_MAP_DEVICE: 'GPU=CPU', ...variables },
  });
  const logs = join(into, 'logs');
  const texts = () => (existsSync(logs) ? readdirSync(logs).map((name) => readFileSync(join(logs, name), 'utf8')) : []);
  return { record, logs: () => [...said, ...texts()].join('\n') };
}

/** Findings as lines. */
export function found({ findings }: RehearsalRecord): string[] {
  return findings.map(({ kind, where, what }) => `${kind}: ${where}: ${what}`);
}

/** Runs as `JOB STATE EXIT`. */
export function states({ runs }: RehearsalRecord): string[] {
  return runs.map(({ job, index, state, exitCode }) =>
    [index === undefined ? job : `${job}[${index}]`, state, exitCode].filter((word) => word !== undefined).join(' '),
  );
}

/** A program that asks the store for an answer, and fails where it gets none. */
export const connects = [
  'bash',
  '-c',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: bash fills it in
  'exec 3<>"/dev/tcp/${SSDB%:*}/${SSDB##*:}" && printf \'*1\\r\\n$4\\r\\nPING\\r\\n\' >&3 && read -r -t 20 line <&3 && [[ $line == +PONG* ]]',
] as const;
