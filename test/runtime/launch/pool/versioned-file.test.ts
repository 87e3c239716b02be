import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { VersionedFile } from '../../../../src/runtime/launch/pool/versioned-file.js';
import { root } from '../../../helpers/simwright.js';

let folder = '';
beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), 'simwright-books-'));
  folder = join(parent, 'books');
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
});

const fileOf = () => new VersionedFile<{ count: number }>(folder, { count: 0 });

test('of two changes of the same version one counts', () => {
  const [mine, others] = [fileOf(), fileOf()];
  const [read, alsoRead] = [mine.read(), others.read()];
  expect(read).toEqual({ version: 0, content: { count: 0 } });
  expect(mine.replace(read, { count: 1 })).toBe(true);
  expect(others.replace(alsoRead, { count: 2 })).toBe(false);
  expect(others.read()).toEqual({ version: 1, content: { count: 1 } });
  expect(others.isUnchanged()).toBe(true);
  expect(mine.replace(mine.read(), { count: 3 })).toBe(true);
  expect(others.isUnchanged()).toBe(false);
});

test('a change that comes late does not count, and old versions go', () => {
  const [mine, others] = [fileOf(), fileOf()];
  const old = others.read();
  for (let count = 1; count <= 100; count++) expect(mine.replace(mine.read(), { count })).toBe(true);
  expect(others.replace(old, { count: 200 })).toBe(false);
  expect(others.read()).toEqual({ version: 100, content: { count: 100 } });
  expect(readdirSync(folder).length).toBeLessThan(70);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('it starts anew where its folder was removed', () => {
  const file = fileOf();
  file.replace(file.read(), { count: 7 });
  rmSync(folder, { recursive: true });
  expect(file.isUnchanged()).toBe(false);
  expect(file.read()).toEqual({ version: 0, content: { count: 0 } });
  expect(file.replace(file.read(), { count: 1 })).toBe(true);
});

test('processes that change it at the same time lose nothing', async () => {
  const script = join(folder, '..', 'count.mts');
  const module = join(root, 'src/runtime/launch/pool/versioned-file.ts');
  writeFileSync(
    script,
    `import { VersionedFile } from ${JSON.stringify(module)};
const file = new VersionedFile(${JSON.stringify(folder)}, {});
const seen = {};
for (let mine = 1; mine <= 300; ) {
  const read = file.read();
  for (const [name, count] of Object.entries(read.content)) {
    if (count < (seen[name] ?? 0)) throw new Error(name + ' went back to ' + count);
    seen[name] = count;
  }
  if (file.replace(read, { ...read.content, [process.argv[2]]: mine })) mine++;
}`,
  );
  const run = (name: string) => execa(process.execPath, ['--import', 'tsx', script, name], { cwd: root });
  await Promise.all([run('a'), run('b'), run('c')]);
  expect(fileOf().read().content).toEqual({ a: 300, b: 300, c: 300 });
});
