import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareFolder, type OutputFile, writeFolder } from '../../src/compiler/index.js';
import { problemsOf, shown, workspace } from './support/workspace.js';

const text = (path: string, content: string, mode = 0o644): OutputFile => ({ path, mode, content });
const first = [text('plan.json', '{}'), text('jobs/a.sh', 'echo a', 0o755), text('jobs/deep/b.sh', 'echo b', 0o755)];

/** Everything in a folder but the manifest: `PATH=CONTENT`. */
function contents(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== '.simwright-manifest.json')
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path.slice(folder.length + 1)}=${readFileSync(path, 'utf8')}`)
    .sort();
}

/** A compiled folder in a workspace. */
function compiled(): { workspace: string; folder: string } {
  const place = workspace({});
  const folder = join(place, 'out');
  writeFolder(folder, first);
  return { workspace: place, folder };
}

describe('a folder that is written', () => {
  test.skipIf(process.getuid?.() !== 0)(
    'on a file system that is read-only: that is the reason, not that something is missing',
    async () => {
      const { workspace: place, folder } = compiled();
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', place]);
      try {
        for (const where of [place, join(place, 'new/out')]) {
          const [problem] = await problemsOf(() => writeFolder(where, first));
          expect(problem?.code).toBe('OUT1002');
          expect(problem?.message).toContain(`${where} cannot be written: EROFS: read-only file system`);
        }
      } finally {
        execFileSync('umount', [place]);
      }
      expect(existsSync(folder)).toBe(true);
      const [nowhere] = await problemsOf(() => writeFolder('/proc/simwright/out', first));
      expect(nowhere?.message).toContain("mkdir '/proc/simwright'");
    },
  );

  test('holds the files with their mode bits, logs/, and nothing beside it', () => {
    const { workspace: place, folder } = compiled();
    expect(contents(folder)).toEqual(['jobs/a.sh=echo a', 'jobs/deep/b.sh=echo b', 'plan.json={}']);
    expect(statSync(join(folder, 'jobs/a.sh')).mode & 0o777).toBe(0o755);
    expect(statSync(join(folder, 'plan.json')).mode & 0o777).toBe(0o644);
    expect(statSync(join(folder, 'logs')).isDirectory()).toBe(true);
    expect(readdirSync(place).sort()).toEqual(['out', 'package.json']);
  });

  test('takes bytes from memory and from files', () => {
    const place = workspace({ 'a.bin': Buffer.from([0, 255]) });
    writeFolder(join(place, 'out'), [
      { path: 'a', mode: 0o600, content: { file: join(place, 'a.bin') } },
      { path: 'b', mode: 0o600, content: { bytes: new Uint8Array([1, 0]) } },
    ]);
    expect([readFileSync(join(place, 'out/a')), readFileSync(join(place, 'out/b'))]).toEqual([
      Buffer.from([0, 255]),
      Buffer.from([1, 0]),
    ]);
  });

  test('loses what is no longer wanted, with folders left empty, and keeps run/ and logs/', () => {
    const { folder } = compiled();
    mkdirSync(join(folder, 'run'));
    writeFileSync(join(folder, 'run/result'), '42');
    writeFileSync(join(folder, 'logs/a.out'), 'done');
    writeFolder(folder, [text('plan.json', '{"new":1}'), text('jobs/a.sh', 'echo a', 0o755)]);
    expect(contents(folder)).toEqual(['jobs/a.sh=echo a', 'logs/a.out=done', 'plan.json={"new":1}', 'run/result=42']);
    expect(existsSync(join(folder, 'jobs/deep'))).toBe(false);
  });

  test('may be named by a link, and be empty before', () => {
    const place = workspace({});
    mkdirSync(join(place, 'scratch'));
    symlinkSync('scratch', join(place, 'out'));
    writeFolder(join(place, 'out'), first);
    expect(contents(join(place, 'scratch'))).toHaveLength(3);
  });

  test('compares with what it would become', () => {
    const { folder } = compiled();
    writeFileSync(join(folder, 'of-somebody-else'), '');
    expect(compareFolder(folder, first)).toEqual({ added: [], changed: [], removed: [] });
    const next = [text('plan.json', '{"new":1}'), text('jobs/a.sh', 'echo a'), text('jobs/c.sh', '')];
    expect(compareFolder(folder, next)).toEqual({
      added: ['jobs/c.sh'],
      changed: ['plan.json'],
      removed: ['jobs/deep/b.sh'],
    });
    expect(compareFolder(join(folder, 'none'), first).added).toHaveLength(3);
  });
});

describe('a folder that is left as it is', () => {
  const refused = async (folder: string, files = first, force = false) => {
    const before = existsSync(folder) && statSync(folder).isDirectory() ? contents(folder) : undefined;
    const problems = await problemsOf(() => writeFolder(folder, files, { force }));
    if (before !== undefined) {
      expect(contents(folder)).toEqual(before);
      expect(readdirSync(folder).filter((name) => name.includes('.part-'))).toEqual([]);
    }
    return shown(problems, join(folder, '..'));
  };

  test('one of somebody else', async () => {
    const place = workspace({ 'out/thesis.tex': 'x' });
    const expected = [
      'OUT1001 - out holds files that simwright did not write | choose an empty or a new folder with --out',
    ];
    expect(await refused(join(place, 'out'))).toEqual(expected);
    expect(await refused(join(place, 'out'), first, true)).toEqual(expected);
  });

  test.each(['null', '[]', '{ "../thesis.tex": "0" }', 'no json'])(
    'one whose manifest is not ours: %s',
    async (manifest) => {
      const place = workspace({ 'out/.simwright-manifest.json': manifest, 'thesis.tex': 'x' });
      expect(await refused(join(place, 'out'))).toEqual([expect.stringMatching(/^OUT1001 - out holds files/)]);
      expect(existsSync(join(place, 'thesis.tex'))).toBe(true);
    },
  );

  test('a file, and a link that leads nowhere', async () => {
    const place = workspace({ out: 'x' });
    expect(await refused(join(place, 'out'))).toEqual([
      'OUT1001 - out is there and is no folder | choose another one with --out',
    ]);
    symlinkSync('nowhere', join(place, 'link'));
    expect(await refused(join(place, 'link'))).toEqual([
      'OUT1001 - link is there and is no folder | choose another one with --out',
    ]);
  });

  test('one with files changed by hand: all are named, wanted or not; the same change is no change; --force overwrites', async () => {
    const { folder } = compiled();
    writeFileSync(join(folder, 'plan.json'), '{"mine":1}');
    writeFileSync(join(folder, 'jobs/deep/b.sh'), 'mine');
    const next = [text('plan.json', '{"new":1}'), text('jobs/a.sh', 'echo a', 0o755)];
    expect(await refused(folder, next)).toEqual([
      'OUT1001 - out/plan.json was changed by hand since it was written | move it away, or use --force to overwrite it',
      'OUT1001 - out/jobs/deep/b.sh is no longer wanted, and was changed by hand since it was written | move it away, or use --force to overwrite it',
    ]);
    writeFileSync(join(folder, 'jobs/deep/b.sh'), 'echo b');
    writeFolder(folder, [text('plan.json', '{"mine":1}'), text('jobs/a.sh', 'echo a', 0o755)]);
    writeFileSync(join(folder, 'plan.json'), 'x');
    writeFolder(folder, next, { force: true });
    expect(contents(folder)).toEqual(['jobs/a.sh=echo a', 'plan.json={"new":1}']);
  });

  test('one where a file of somebody else, a folder or a file stands in the way', async () => {
    const { folder } = compiled();
    writeFileSync(join(folder, 'submit.sh'), 'mine');
    expect(await refused(folder, [...first, text('submit.sh', '')])).toEqual([
      'OUT1001 - out/submit.sh was not written by simwright | move it away, or use --force to overwrite it',
    ]);
    mkdirSync(join(folder, 'README'));
    writeFileSync(join(folder, 'artifacts'), 'mine');
    expect(await refused(folder, [text('README', ''), text('artifacts/a', '')], true)).toEqual([
      'OUT1001 - out/README is a folder, and a file has to go there | move it away',
      'OUT1001 - out/artifacts is no folder, and files have to go into it | move it away',
    ]);
  });

  test('one that cannot be made, or a source that is gone', async () => {
    const place = workspace({ file: 'x' });
    expect(await refused(join(place, 'file/out'))).toEqual([
      expect.stringMatching(/^OUT1002 - .*out cannot be written: ENOTDIR/),
    ]);
    const { folder } = compiled();
    const gone: OutputFile = { path: 'artifacts/a', mode: 0o644, content: { file: join(folder, 'gone') } };
    chmodSync(join(folder, 'plan.json'), 0o644);
    expect(await refused(folder, [text('plan.json', '{"new":1}'), gone])).toEqual([
      expect.stringMatching(/^OUT1002 - out cannot be written: ENOENT/),
    ]);
    rmSync(folder, { recursive: true });
    expect(await refused(folder, [gone])).toEqual([expect.stringMatching(/^OUT1002/)]);
    expect(existsSync(folder)).toBe(false);
  });
});
