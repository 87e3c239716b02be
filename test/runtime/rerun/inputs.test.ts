import { existsSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Entity } from '../../../src/ir/index.js';
import { useBundle } from '../support/bundle.js';
import { JobFolder } from '../support/job-folder.js';
import { makePlan } from '../support/make-plan.js';

const bundle = useBundle();
const bar = { name: 'bar', kind: 'ensemble' as const, params: { N: [1, 2] } };

/** Launches an entity; each run leaves a line beside its directory, then does what is said. */
function launchOf(name: string, does = 'true'): string {
  const log = `${name === 'bar' ? '../..' : '..'}/${name}.log`;
  return `runtime launch ${name} -- sh -c 'echo x >>${log}; ${does}' & launched+=($!)\n`;
}

const lines = (folder: JobFolder, name: string) =>
  existsSync(folder.path(`run/${name}.log`)) ? folder.read(`run/${name}.log`).trim().split('\n').length : 0;

function write(folder: JobFolder, ...entities: readonly (Partial<Entity> & { readonly name: string })[]): void {
  folder.write('plan.json', JSON.stringify(makePlan(entities)));
}

test('what waits for members that run again waits for that, though they had completed before', async () => {
  const analysis = { name: 'analysis', after: [{ name: 'bar', event: 'completed' as const }] };
  const folder = new JobFolder(bundle(), makePlan([bar, analysis]));
  expect((await folder.run(launchOf('bar') + launchOf('analysis', 'false'))).code).toBe(1);
  rmSync(folder.path('run/bar/bar_0'), { recursive: true });
  const end = await folder.run(launchOf('bar', 'sleep 0.3') + launchOf('analysis'));
  expect(end).toMatchObject({ code: 0 });
  expect(end.stdout).toContain('bar: 1 whose directory is gone; 1 done\n');
  expect(lines(folder, 'bar')).toBe(3);
  const [first] = folder.members('bar');
  const [ran] = folder.members('analysis');
  expect((first?.time ?? 'z') < (ran?.time ?? '')).toBe(true);
}, 180_000);

test("after 'ended' it counts who did not succeed: as long as these are the same, what has completed stays", async () => {
  const report = { name: 'report', after: [{ name: 'bar', event: 'ended' as const }] };
  const folder = new JobFolder(bundle(), makePlan([bar, report]));
  const sick = launchOf('bar', '! { [ -e ../../sick ] && grep -q 2 params.json; }') + launchOf('report');
  folder.write('run/sick', '');
  expect((await folder.run(sick)).code).toBe(1);
  expect(folder.states('bar')).toEqual(['completed', 'failed']);
  expect((await folder.run(sick)).code).toBe(1);
  expect([lines(folder, 'bar'), lines(folder, 'report')]).toEqual([3, 1]);
  rmSync(folder.path('run/sick'));
  expect((await folder.run(sick)).code).toBe(0);
  expect([lines(folder, 'bar'), lines(folder, 'report')]).toEqual([4, 2]);
  expect((await folder.run(sick)).code).toBe(0);
  expect([lines(folder, 'bar'), lines(folder, 'report')]).toEqual([4, 2]);
}, 180_000);

test('a change goes all the way down; a name that is only added, or taken away, changes nothing', async () => {
  const mesh = { name: 'mesh' };
  const middle = { ...bar, after: [{ name: 'mesh', event: 'completed' as const }] };
  const reader = { name: 'reader', incoming: ['bar'] };
  const folder = new JobFolder(bundle(), makePlan([mesh, middle, reader]));
  const all = launchOf('mesh') + launchOf('bar') + launchOf('reader');
  const counts = () => ['mesh', 'bar', 'reader'].map((name) => lines(folder, name));
  expect((await folder.run(all)).code).toBe(0);
  expect(counts()).toEqual([1, 2, 1]);
  write(folder, mesh, { ...middle, incoming: ['mesh'] }, { ...reader, after: [{ name: 'mesh', event: 'completed' }] });
  expect((await folder.run(all)).code).toBe(0);
  expect(counts()).toEqual([1, 2, 1]);
  write(folder, mesh, middle, { name: 'reader' });
  expect((await folder.run(all)).code).toBe(0);
  expect(counts()).toEqual([1, 2, 1]);
  write(folder, { ...mesh, env: { LEVEL: '2' } }, middle, reader);
  const end = await folder.run(all);
  expect(end).toMatchObject({ code: 0 });
  expect(end.stdout).toContain('mesh: changed: LEVEL 2 is new\n');
  expect(end.stdout).toContain('bar: 2 input changed: mesh\n');
  expect(end.stdout).toContain('reader: input changed: bar');
  expect(counts()).toEqual([2, 4, 2]);
}, 180_000);

test('what has changed in an input is said: of members that have run meanwhile, that --members leaves out, and with --keep', async () => {
  const ensemble = (values: readonly number[], env = {}) => ({ ...bar, params: { N: [...values] }, env });
  const analysis = { name: 'analysis', after: [{ name: 'bar', event: 'completed' as const }] };
  const both = launchOf('bar') + launchOf('analysis');
  const folder = new JobFolder(bundle(), makePlan([ensemble([1, 2, 3]), analysis]));
  expect((await folder.run(both)).code).toBe(0);

  const some = await folder.run(both, { SIMWRIGHT_MEMBERS: 'bar:0' });
  expect(some.stdout).toContain('analysis: input changed: bar (2 left out)\n');
  const all = await folder.run(both);
  expect(all.stdout).toContain('analysis: done, brought back from run/aside\n');

  // The ensemble runs first, so that there is nothing left to foretell of it.
  write(folder, ensemble([2, 3, 4]), analysis);
  expect((await folder.run(launchOf('bar'))).code).toBe(0);
  const kept = await folder.run(both, { SIMWRIGHT_KEEP: '1' });
  expect(kept.stdout).toContain(
    'analysis: kept as it is, though its input has changed: bar (1 new; 2 renumbered; 1 gone)\n',
  );
  expect((await folder.run(both)).stdout).not.toContain('input');
  write(folder, ensemble([2, 3, 4], { LEVEL: '1' }), analysis);
  expect((await folder.run(launchOf('bar'))).code).toBe(0);
  expect((await folder.run(both)).stdout).toContain('analysis: input changed: bar (3 changed)\n');
  expect(lines(folder, 'analysis')).toBe(3);
}, 180_000);
