import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import type { Problem } from '../../src/diagnostics/index.js';
import { root, simwrightWords } from '../helpers/simwright.js';
import { compileIn, problemsOf, shown, source, workspace } from './support/workspace.js';

/** Problems of a workflow with one `.attach()`, in a folder that `lay` fills. */
async function problemsWith(attach: string, lay: (folder: string) => void): Promise<string[]> {
  const folder = workspace({ 'workflow.ts': source(`.model('m', command('true')).attach(${attach})`) });
  lay(folder);
  const problems = await problemsOf(() => compileIn(folder));
  return shown(problems, folder).map((line) => line.replace(/ workflow\.ts:\d+:\d+/, ''));
}

const circle = (folder: string) => {
  mkdirSync(join(folder, 'd/x'), { recursive: true });
  mkdirSync(join(folder, 'd/y'), { recursive: true });
  symlinkSync('../y', join(folder, 'd/x/to-y'));
  symlinkSync('../x', join(folder, 'd/y/to-x'));
  writeFileSync(join(folder, 'd/x/data'), '1');
};

describe('links', () => {
  test('that lead to each other', async () => {
    const lay = (folder: string) => {
      symlinkSync('two', join(folder, 'one'));
      symlinkSync('one', join(folder, 'two'));
    };
    for (const kind of ['copy', 'configure', 'symlink']) {
      expect(await problemsWith(`{ ${kind}: 'one' }`, lay)).toEqual([
        `FILE1001 .attach(): ${kind} 'one' is not there (looked for one) | did you mean 'one'?`,
      ]);
    }
    expect(await problemsWith("{ copy: 'on*' }", lay)).toEqual([
      "FILE1001 .attach(): copy 'on*' matches no file in DIR",
    ]);
  });

  test('to a file, of directories that link each other, walked and by a glob', async () => {
    const around = (path: string) => `FILE1003 .attach(): '${path}' is a link to a directory around it`;
    const both = [around('d/x/to-y/to-x'), around('d/y/to-x/to-y')];
    expect((await problemsWith("{ copy: 'd' }", circle)).sort()).toEqual(both);
    expect((await problemsWith("{ copy: 'd/**' }", circle)).sort()).toEqual(both);
  });

  test('to a directory elsewhere are followed', async () => {
    const lay = (folder: string) => {
      mkdirSync(join(folder, 'far/deep'), { recursive: true });
      writeFileSync(join(folder, 'far/deep/data'), '1');
      mkdirSync(join(folder, 'd'));
      symlinkSync('../far', join(folder, 'd/near'));
    };
    expect(await problemsWith("{ copy: 'd' }", lay)).toEqual([]);
    expect(await problemsWith("{ copy: 'd/**/data' }", lay)).toEqual([]);
  });
});

describe('names', () => {
  test('that are no UTF-8', async () => {
    const lay = (folder: string) => {
      mkdirSync(join(folder, 'd'));
      writeFileSync(Buffer.concat([Buffer.from(`${folder}/d/caf`), Buffer.from([0xe9]), Buffer.from('.dat')]), '1');
    };
    expect(await problemsWith("{ copy: 'd' }", lay)).toEqual([
      "FILE1003 .attach(): the name of 'caf\\xe9.dat' in d is no UTF-8 | give it another name",
    ]);
    const [byGlob = '', ...rest] = await problemsWith("{ copy: 'd/*.dat' }", lay);
    expect(byGlob).toMatch(/^FILE1003 .*its name is no UTF-8$/);
    expect(rest).toEqual([]);
  });

  test('of any other bytes, as long as a name can be, are copied', async () => {
    const names = ["it's $(a) name\n", '-rf', '*', '火'.repeat(85), '😀'.repeat(63), 'a'.repeat(255), '\u0001\u007f'];
    const folder = workspace({ 'workflow.ts': source(`.model('m', command('true')).attach({ copy: 'd' })`) });
    mkdirSync(join(folder, 'd'));
    for (const name of names) writeFileSync(join(folder, 'd', name), name);
    const { plan, files } = await compileIn(folder);
    expect(plan.entities[0]?.files.map(({ to }) => to).sort()).toEqual([...names].sort());
    for (const { path } of files) expect(Buffer.byteLength(path.split('/').at(-1) ?? '')).toBeLessThanOrEqual(255);
    expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
    expect(() => {
      for (const { path } of files.filter(({ path }) => path.startsWith('artifacts/'))) {
        writeFileSync(join(folder, path.replace('artifacts/', '')), '');
      }
    }).not.toThrow();
  });
});

describe('templates', () => {
  test('with NUL bytes', async () => {
    const lay = (folder: string) => writeFileSync(join(folder, 'mesh.bin'), 'a;T;\0b');
    expect(await problemsWith("{ configure: 'mesh.bin' }", lay)).toEqual([
      "TMPL1010 .attach(): configure 'mesh.bin' is no template: byte 4 is NUL | copy it; a text in UTF-16 has to become UTF-8",
    ]);
    expect(await problemsWith("{ copy: 'mesh.bin' }", lay)).toEqual([]);
  });

  test('larger than memory', async () => {
    const lay = (folder: string) => {
      writeFileSync(join(folder, 'huge'), '');
      truncateSync(join(folder, 'huge'), 2 ** 40);
    };
    expect(await problemsWith("{ configure: 'huge' }", lay)).toEqual([
      "TMPL1010 .attach(): configure 'huge' has 1048576 MiB, and a template has at most 256 | copy it, and give the application its parameters in a smaller file",
    ]);
  });
});

describe('what is no file', () => {
  test('a pipe, attached in any way', async () => {
    const lay = (folder: string) => void execFileSync('mkfifo', [join(folder, 'pipe')]);
    for (const kind of ['copy', 'configure', 'symlink']) {
      expect(await problemsWith(`{ ${kind}: 'pipe' }`, lay)).toEqual([
        `FILE1003 .attach(): ${kind} 'pipe' is neither a file nor a directory`,
      ]);
    }
  });

  test('a file and a directory that this user cannot read', async () => {
    const folder = workspace({
      'workflow.ts': source(`.model('m', command('true')).attach({ copy: ['closed', 'folder'] })`),
      closed: '1',
      'folder/data': '1',
    });
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(root, join(folder, 'node_modules/simwright'));
    for (const [path, mode] of Object.entries({ '.': 0o755, closed: 0, folder: 0 }))
      chmodSync(join(folder, path), mode);
    const words = ['check', 'workflow.ts', '--no-types', '--json'];
    // To root nothing is closed.
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const [node = '', ...cli] = simwrightWords;
    const { stdout, exitCode } = await execa(node, [...cli, ...words], { ...user, cwd: folder, reject: false });
    chmodSync(join(folder, 'folder'), 0o755);
    expect(exitCode, stdout).toBe(1);
    expect(JSON.parse(stdout).problems.map(({ code, message }: Problem) => `${code} ${message}`)).toEqual([
      expect.stringMatching(/^FILE1001 .*copy '.*closed' cannot be read: EACCES/),
      expect.stringMatching(/^FILE1001 .*folder' cannot be read: EACCES/),
    ]);
  });
});
