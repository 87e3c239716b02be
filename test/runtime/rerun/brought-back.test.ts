import { existsSync, readdirSync, rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Entity, Plan } from '../../../src/ir/index.js';
import { readJournal } from '../../../src/runtime/rerun/journal.js';
import { useBundle } from '../support/bundle.js';
import { JobFolder } from '../support/job-folder.js';
import { makePlan } from '../support/make-plan.js';
import { waitUntil } from '../support/wait-until.js';

const bundle = useBundle();
const planOf = (values: readonly number[], further: Partial<Entity> = {}, ...others: readonly Partial<Entity>[]) =>
  makePlan([
    { name: 'bar', kind: 'ensemble', params: { N: [...values] }, ...further },
    ...others.map((other) => ({ name: 'analysis', ...other })),
  ]);

/** Leaves its parameter in its output, and a line beside all of them for each time that one has run. */
const launch = (name = 'bar', does = 'true') =>
  `runtime launch ${name} -- sh -c 'tr -dc 0-9 <params.json; echo "${name} $(tr -dc 0-9 <params.json)" >>"$LOG"; ${does}' & launched+=($!)\n`;

async function go(folder: JobFolder, plan: Plan, steps = launch(), env: Record<string, string> = {}) {
  folder.write('plan.json', JSON.stringify(plan));
  return folder.run(steps, { LOG: folder.path('log'), ...env });
}

const log = (folder: JobFolder) =>
  folder.has('log')
    ? folder
        .read('log')
        .trim()
        .split('\n')
        .map((one) => one.trim())
        .sort()
    : [];
const outputs = (folder: JobFolder, count: number) =>
  Array.from({ length: count }, (_, index) => folder.read(`run/bar/bar_${index}/bar_${index}.out`));

describe('a value that was taken out and put back', () => {
  test('brings its completed directory back, also under another number, and nothing runs again', async () => {
    const folder = new JobFolder(bundle(), planOf([1, 2, 3]));
    await go(folder, planOf([1, 2, 3]));
    folder.write('run/bar/bar_1/precious', 'mine');
    await go(folder, planOf([1, 3]));
    expect(readdirSync(folder.path('run/bar')).sort()).toEqual(['bar_0', 'bar_1']);
    const back = await go(folder, planOf([2, 1, 3]));
    expect(back).toMatchObject({ code: 0, stderr: '' });
    expect(back.stdout).toContain('bar: all 3 done, 2 of them renumbered, 1 of them brought back from run/aside\n');
    expect(log(folder)).toEqual(['bar 1', 'bar 2', 'bar 3']);
    expect(outputs(folder, 3)).toEqual(['2', '1', '3']);
    expect(folder.read('run/bar/bar_0/precious')).toBe('mine');
    expect(folder.states('bar')).toEqual(['completed', 'completed', 'completed']);
    // Nothing of it is left aside.
    expect(readdirSync(folder.path('run/aside/bar'))).toEqual([]);
    expect((await go(folder, planOf([2, 1, 3]))).stdout).not.toContain('brought back');
  }, 180_000);

  test('in the place of another: that one gives way, and can come back in its turn', async () => {
    const folder = new JobFolder(bundle(), planOf([1, 2]));
    for (const last of [2, 5, 2, 5]) expect(await go(folder, planOf([1, last]))).toMatchObject({ code: 0 });
    expect(log(folder)).toEqual(['bar 1', 'bar 2', 'bar 5']);
    expect(outputs(folder, 2)).toEqual(['1', '5']);
    expect(readdirSync(folder.path('run/aside/bar')).filter((name) => !name.endsWith('.json'))).toHaveLength(1);
  }, 180_000);

  test('stays aside with --fresh, and so does what --fresh has moved there', async () => {
    const folder = new JobFolder(bundle(), planOf([1, 2]));
    await go(folder, planOf([1, 2]));
    await go(folder, planOf([1]));
    await go(folder, planOf([1, 2]), launch(), { SIMWRIGHT_FRESH: '1' });
    expect(log(folder)).toEqual(['bar 1', 'bar 1', 'bar 2', 'bar 2']);
    // The results of before --fresh are aside, those of bar_1 were made since.
    rmSync(folder.path('run/bar/bar_0'), { recursive: true });
    expect((await go(folder, planOf([1, 2]))).stdout).toContain('bar: 1 whose directory is gone; 1 done\n');
  }, 180_000);

  test('brings back the analysis of what is there again; one of something else runs', async () => {
    const after = [{ name: 'bar', event: 'completed' as const }];
    const both = (values: readonly number[]) => planOf(values, {}, { after });
    const steps = launch() + launch('analysis');
    const folder = new JobFolder(bundle(), both([1, 2]));
    await go(folder, both([1, 2]), steps);
    folder.write('run/analysis/result', 'of 1 and 2');
    await go(folder, both([1]), steps);
    const back = await go(folder, both([1, 2]), steps);
    expect(back.stdout).toContain('analysis: done, brought back from run/aside\n');
    expect(log(folder)).toEqual(['analysis', 'analysis', 'bar 1', 'bar 2']);
    expect(folder.read('run/analysis/result')).toBe('of 1 and 2');
    expect(folder.states('analysis')).toEqual(['completed']);
    expect((await go(folder, both([1, 2, 3]), steps)).stdout).toContain('analysis: input changed: bar (1 new)\n');
    expect(existsSync(folder.path('run/.analysis.renumbering.json'))).toBe(false);
  }, 180_000);

  test('comes back whole, though kill -9 meets the launch that does it, again and again', async () => {
    const values = Array.from({ length: 60 }, (_, index) => index);
    const few = values.slice(0, 1);
    const folder = new JobFolder(bundle(), planOf(values));
    await go(folder, planOf(values), launch().replace('bar --', 'bar --at-most 30 --'));
    for (let round = 0; round < 5; round++) {
      await go(folder, planOf(few));
      expect(readdirSync(folder.path('run/bar'))).toEqual(['bar_0']);
      folder.write('plan.json', JSON.stringify(planOf(values)));
      const job = folder.start(launch(), { LOG: folder.path('log'), SIMWRIGHT_KILL_AFTER: '1' });
      const begun = () => readJournal(folder.dir, { kind: 'ensemble', name: 'bar' }) !== undefined;
      await waitUntil('directories come back', () => begun() || job.child.exitCode !== null, 30);
      for (let spin = 0; spin < round * 100_000; spin++) Math.sqrt(spin);
      folder.killRuntime('launch');
      await job.ended;
      expect(await go(folder, planOf(values))).toMatchObject({ code: 0, stderr: '' });
      expect(outputs(folder, values.length)).toEqual(values.map(String));
      expect(readdirSync(folder.path('run/bar')).filter((name) => !/^bar_\d+(\.lock)?$/.test(name))).toEqual([]);
    }
    expect(log(folder)).toHaveLength(values.length);
    expect(readdirSync(folder.path('run/aside/bar')).filter((name) => !name.endsWith('.json'))).toEqual([]);
  }, 300_000);
});
