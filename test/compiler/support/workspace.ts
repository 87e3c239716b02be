import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Compiled, checkSite, compile, loadSite, loadWorkflow } from '../../../src/compiler/index.js';
import { type Problem, WorkflowError } from '../../../src/diagnostics/index.js';
import type { SiteInput } from '../../../src/ir/index.js';
import { builtInSites } from '../../../src/sites/built-in.js';

/** Contents of files by path; bytes as they are, text as UTF-8. Names in `executable` get their bit. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A folder of the test's own, removed when the test has ended. A module folder unless a package.json says otherwise. */
export function workspace(files: Files): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'simwright-test-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries({ 'package.json': '{ "type": "module" }', ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
    if (typeof content === 'string' && content.startsWith('#!')) chmodSync(join(folder, path), 0o755);
  }
  return folder;
}

/** A workflow's source: `chain` follows `experiment('bad')` on line 3, `before` stands on line 2. */
export function source(chain: string, before = ''): string {
  return `import { command, experiment, mlBytes, mlFile } from 'simwright';\n${before}\nexport default experiment('bad')${chain};\n`;
}

/** Compiles `workflow.ts` of a folder, for a built-in site, a site's file in the folder, or a site. */
export async function compileIn(folder: string, site: string | SiteInput = 'slurm'): Promise<Compiled> {
  const loaded =
    typeof site !== 'string'
      ? checkSite(site, `site '${site.name}'`, undefined)
      : await loadSite(/[./]/.test(site) ? join(folder, site) : site, builtInSites);
  return compile(await loadWorkflow(join(folder, 'workflow.ts')), loaded);
}

/** The problems that something throws. */
export async function problemsOf(action: () => unknown): Promise<readonly Problem[]> {
  try {
    await action();
  } catch (error) {
    if (error instanceof WorkflowError) return error.problems;
    throw error;
  }
  return [];
}

/** Problems as lines, `CODE PLACE MESSAGE | HINT`, paths relative to the folder. */
export function shown(problems: readonly Problem[], folder: string): string[] {
  return problems.map(({ code, at, message, hint }) => {
    const place = at === undefined ? '-' : `${at.file}:${at.line}:${at.column}`;
    return `${code} ${place} ${message}${hint === undefined ? '' : ` | ${hint}`}`
      .replaceAll(`${folder}/`, '')
      .replaceAll(folder, 'DIR');
  });
}

/** What is wrong with a workflow (its source, or a folder of files that holds it). */
export async function problemsIn(files: string | Files, site?: string | SiteInput): Promise<string[]> {
  const folder = workspace(typeof files === 'string' ? { 'workflow.ts': files } : files);
  return shown(await problemsOf(() => compileIn(folder, site)), folder);
}
