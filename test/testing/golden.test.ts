import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A user's test, run by a vitest of its own. */
const userTest = `
import { readFileSync } from 'node:fs';
import 'simwright/testing/vitest';
import { expect, it } from 'vitest';

const files = new Map(Object.entries(JSON.parse(readFileSync(new URL('files.json', import.meta.url), 'utf8'))));
it('is as reviewed', async () => {
  await expect({ files, warnings: [] }).toMatchGolden('expected/slurm');
});
it.concurrent('is as reviewed, beside others', async ({ expect }) => {
  await expect({ files, warnings: [] }).toMatchGolden('expected/slurm');
});
`;

describe('toMatchGolden', () => {
  let folder: string;
  const golden = (path: string) => join(folder, 'expected/slurm', path);
  const make = (files: Record<string, string>) => writeFileSync(join(folder, 'files.json'), JSON.stringify(files));
  const vitest = async (args: readonly string[] = [], ci = false) => {
    const { exitCode, all } = await execa('npx', ['vitest', 'run', '--root', folder, ...args], {
      cwd: root,
      all: true,
      reject: false,
      env: { CI: ci ? 'true' : '', NO_COLOR: '1' },
    });
    return { exitCode, all };
  };

  beforeAll(() => {
    mkdirSync(join(root, '.cache'), { recursive: true });
    folder = mkdtempSync(join(root, '.cache/golden-'));
    writeFileSync(join(folder, 'user.test.mjs'), userTest);
    const alias = { 'simwright/testing/vitest': join(root, 'src/testing/vitest.ts') };
    writeFileSync(
      join(folder, 'vitest.config.mjs'),
      `export default ${JSON.stringify({ resolve: { alias }, test: { include: ['*.test.mjs'] } })};\n`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('writes golden files, passes on them, shows what differs, and lets go by -u', async () => {
    make({ 'submit.sh': '#!/bin/bash\n', 'jobs/a.sbatch': 'one\n' });
    expect(await vitest([], true), 'a missing file in CI').toMatchObject({ exitCode: 1 });
    expect(existsSync(golden('submit.sh'))).toBe(false);

    expect(await vitest(), 'the first run').toMatchObject({ exitCode: 0 });
    expect(readFileSync(golden('jobs/a.sbatch'), 'utf8')).toBe('one\n');
    expect(await vitest([], true), 'a second run').toMatchObject({ exitCode: 0 });

    make({ 'submit.sh': '#!/bin/bash\n', 'jobs/b.sbatch': 'one\n' });
    const renamed = await vitest([], true);
    expect(renamed.exitCode).toBe(1);
    expect(renamed.all).toContain('jobs/a.sbatch: no longer made');
    expect(renamed.all).toMatch(/jobs\/b\.sbatch: Snapshot .* mismatched/);

    expect(await vitest(['-u']), 'an accepted change').toMatchObject({ exitCode: 0 });
    expect(existsSync(golden('jobs/a.sbatch'))).toBe(false);
    expect(readFileSync(golden('jobs/b.sbatch'), 'utf8')).toBe('one\n');

    make({ 'submit.sh': '#!/bin/bash\n', 'jobs/b.sbatch': 'two\n' });
    const changed = await vitest([], true);
    expect(changed.exitCode).toBe(1);
    expect(changed.all).toContain('- one');
    expect(changed.all).toContain('+ two');
  });
});
