import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, type TestContext } from 'vitest';
import { jobFoldersOf, processesOf } from './leftovers.js';
import { root } from './simwright.js';

const workspaces: Workspace[] = [];

afterEach(() => {
  for (const workspace of workspaces.splice(0)) workspace.remove();
});

/**
 * A folder of a user's own, in which `simwright` is installed. It and its processes are gone after the test; a test that runs beside others
 * gives its context, so that it is not gone after theirs.
 */
export class Workspace {
  readonly cwd: string;

  constructor(parent: string = tmpdir(), { onTestFinished }: Partial<Pick<TestContext, 'onTestFinished'>> = {}) {
    this.cwd = realpathSync(mkdtempSync(join(parent, 'simwright-test-')));
    this.write('package.json', '{ "name": "workspace", "private": true }\n');
    mkdirSync(this.path('node_modules'));
    symlinkSync(root, this.path('node_modules/simwright'));
    if (onTestFinished === undefined) workspaces.push(this);
    else onTestFinished(() => this.remove());
  }

  path(...parts: readonly string[]): string {
    return join(this.cwd, ...parts);
  }

  write(path: string, content: string | Uint8Array, mode = 0o644): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), content);
    chmodSync(this.path(path), mode);
  }

  /** Writes workflow.ts: the import and the experiment's chain. */
  workflow(chain: string): void {
    this.write(
      'workflow.ts',
      `import { command, experiment, mlFile, scriptFile } from 'simwright';\n\nexport default ${chain};\n`,
    );
  }

  read(...parts: readonly string[]): string {
    return readFileSync(this.path(...parts), 'utf8');
  }

  has(...parts: readonly string[]): boolean {
    return existsSync(this.path(...parts));
  }

  /** Names in a folder; none where there is no folder. */
  files(...parts: readonly string[]): string[] {
    return this.has(...parts) ? readdirSync(this.path(...parts)) : [];
  }

  /** Lines of a file; none where there is no file. */
  lines(...parts: readonly string[]): string[] {
    return this.has(...parts)
      ? this.read(...parts)
          .split('\n')
          .filter((line) => line !== '')
      : [];
  }

  /** Rows of run/members.csv as `NAME STATE EXIT`. */
  members(compiled: string): string[] {
    const [head = '', ...rows] = this.lines(compiled, 'run/members.csv');
    const columns = head.split(',');
    return rows.map((row) => {
      const cells = row.split(',');
      return ['name', 'state', 'exit']
        .map((name) => cells[columns.indexOf(name)] ?? '')
        .join(' ')
        .trim();
    });
  }

  remove(): void {
    for (const { pid } of processesOf(this.cwd)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }
    for (const name of readdirSync(this.cwd)) {
      for (const folder of jobFoldersOf(this.path(name))) rmSync(folder, { recursive: true, force: true });
    }
    rmSync(this.cwd, { recursive: true, force: true });
  }
}
