import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { memberDigest, memberParams, type Plan } from '../../../src/ir/index.js';
import { readJobEnvironment } from '../../../src/runtime/job/job-environment.js';
import { MemberLock } from '../../../src/runtime/job/member-lock.js';
import { readJournal } from '../../../src/runtime/rerun/journal.js';
import { useBundle } from '../support/bundle.js';
import { JobFolder } from '../support/job-folder.js';
import { makePlan } from '../support/make-plan.js';
import { waitUntil } from '../support/wait-until.js';

const bundle = useBundle();
const range = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
const planOf = (values: readonly number[], job: Parameters<typeof makePlan>[2] = {}) =>
  makePlan([{ name: 'bar', kind: 'ensemble', params: { N: [...values] } }], [], job);

/** Writes down that it has run, in its directory and beside all of them. */
const line = `bash -c 'echo "$(tr -dc 0-9 <params.json)" >>../../log; echo x >>tries'`;

/** A folder in which all members have completed, each directory with its number in it: without running thousands of programs. */
function completed(values: readonly number[]): JobFolder {
  const plan = planOf(values);
  const folder = new JobFolder(bundle(), plan);
  const [entity] = plan.entities;
  if (entity === undefined) throw new Error('no entity');
  const lines = values.map((value, index) => {
    const member = `bar_${index}`;
    folder.write(`run/bar/${member}/number`, `${value}`);
    folder.write(`run/bar/${member}/${member}.out`, `${value}\n`);
    folder.write(`run/bar/${member}/${member}.err.1`, `${value}\n`);
    const params = memberParams(entity.members, index);
    const event = {
      time: '2026-01-01T00:00:00.000Z',
      job: 'main',
      jobId: '1',
      entity: 'bar',
      state: 'completed',
      exit: 0,
    };
    return JSON.stringify({ ...event, index, member, params, digest: memberDigest(plan, entity, index) });
  });
  folder.write('run/status/main.bar.1.jsonl', `${lines.join('\n')}\n`);
  return folder;
}

function writePlan(folder: JobFolder, plan: Plan): void {
  folder.write('plan.json', JSON.stringify(plan));
}

/** Number in each member's directory; `undefined` where there is none. */
function numbers(folder: JobFolder, count: number): (number | undefined)[] {
  return range(count).map((index) => {
    const path = folder.path(`run/bar/bar_${index}/number`);
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined;
  });
}

const log = (folder: JobFolder) =>
  existsSync(folder.path('run/log'))
    ? folder
        .read('run/log')
        .split('\n')
        .filter((one) => one !== '')
    : [];

describe('a renumbering', () => {
  test('that is cut short by kill -9, again and again, ends with every directory in its place, and nothing has run twice', async () => {
    const count = 400;
    const folder = completed(range(count));
    // Each time all move by one place more, so that every plan after the first meets what the last kill left.
    let kills = 0;
    let values = range(count);
    for (let round = 0; round < 8; round++) {
      values = [-1 - round, ...values];
      writePlan(folder, planOf(values));
      const job = folder.start(`runtime launch bar --at-most 1 -- ${line} & launched+=($!)`, {
        SIMWRIGHT_KILL_AFTER: '1',
      });
      const started = () => readJournal(folder.dir, { kind: 'ensemble', name: 'bar' }) !== undefined;
      const over = () =>
        (existsSync(folder.path('run/log')) && log(folder).length > round - kills) || job.child.exitCode !== null;
      await waitUntil('directories move', () => started() || over(), 30);
      const launches = folder.runtimeProcesses('launch');
      for (let spin = 0; spin < round * 40_000; spin++) Math.sqrt(spin);
      if (readJournal(folder.dir, { kind: 'ensemble', name: 'bar' }) !== undefined) kills++;
      for (const pid of launches) process.kill(pid, 'SIGKILL');
      await job.ended;
    }
    const end = await folder.run(`runtime launch bar --at-most 1 -- ${line} & launched+=($!)`);
    expect(end.stderr).toBe('');
    expect(end.code).toBe(0);
    expect(kills).toBeGreaterThan(0);
    expect(numbers(folder, values.length)).toEqual(values.map((value) => (value < 0 ? undefined : value)));
    expect(folder.states('bar').filter((state) => state !== 'completed')).toEqual([]);
    // Those that had completed never ran.
    expect(
      range(count).filter((index) => existsSync(folder.path(`run/bar/bar_${values.indexOf(index)}/tries`))),
    ).toEqual([]);
    expect(folder.read(`run/bar/bar_${values.indexOf(7)}/bar_${values.indexOf(7)}.out`)).toBe('7\n');
    expect(readdirSync(folder.path('run/bar')).filter((name) => !/^bar_\d+$/.test(name))).toEqual([]);
    expect(existsSync(folder.path('run/aside'))).toBe(false);
  }, 540_000);

  test.each([
    ['array', { array: { size: 6, perElement: 1 } }],
    ['separate', { separate: 6 }],
  ])(
    'of an %s: whichever element comes first does it, and each member runs once',
    async (_mode, shape) => {
      const folder = completed([1, 2, 3, 4]);
      writePlan(folder, planOf([1, 10, 2, 3, 11, 4], shape));
      const env = (index: number) => ({ SIMWRIGHT_ARRAY_INDEX: `${index}`, SIMWRIGHT_RUN: '7' });
      const first = folder.start(
        `runtime launch bar --member "$SIMWRIGHT_ARRAY_INDEX" -- ${line} & launched+=($!)`,
        env(0),
      );
      const elements = [first, ...range(5, 1).map((index) => folder.startWritten(env(index)))];
      for (const element of elements) expect(await element.ended).toMatchObject({ code: 0, stderr: '' });
      expect(log(folder).sort()).toEqual(['10', '11']);
      expect(numbers(folder, 6)).toEqual([1, undefined, 2, 3, undefined, 4]);
      expect(folder.read('run/bar/bar_5/bar_5.err.1')).toBe('4\n');
      expect(folder.states('bar')).toEqual(Array(6).fill('completed'));
    },
    60_000,
  );

  test('waits for nobody who still runs a member that would get another number: it says who', async () => {
    const folder = completed([1, 2]);
    const other = readJobEnvironment({ SIMWRIGHT_JOB: 'main', SIMWRIGHT_JOB_ID: '4711' }, folder.dir);
    const taker = { job: other, walltimeSeconds: undefined, scheduler: undefined };
    const lock = await MemberLock.take(folder.path('run/bar/bar_1'), taker);
    afterEach(() => lock.release());
    writePlan(folder, planOf([1, 10, 2]));
    const end = await folder.run(`runtime launch bar -- ${line} & launched+=($!)`);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain("error[RUN1008]: bar_1 is being run by job 4711 ('main', process ");
    expect(numbers(folder, 3)).toEqual([1, 2, undefined]);
    expect(log(folder)).toEqual([]);
    lock.release();
    expect((await folder.run(`runtime launch bar -- ${line} & launched+=($!)`)).code).toBe(0);
    expect(numbers(folder, 3)).toEqual([1, undefined, 2]);
  }, 540_000);

  test('leaves a former member that a job still runs where it is', async () => {
    const folder = completed([1, 2, 3]);
    const other = readJobEnvironment({ SIMWRIGHT_JOB: 'main', SIMWRIGHT_JOB_ID: '4711' }, folder.dir);
    const taker = { job: other, walltimeSeconds: undefined, scheduler: undefined };
    const lock = await MemberLock.take(folder.path('run/bar/bar_2'), taker);
    writePlan(folder, planOf([1, 2]));
    expect((await folder.run(`runtime launch bar -- ${line} & launched+=($!)`)).code).toBe(0);
    expect(numbers(folder, 3)).toEqual([1, 2, 3]);
    lock.release();
    expect((await folder.run(`runtime launch bar -- ${line} & launched+=($!)`)).code).toBe(0);
    expect(numbers(folder, 3)).toEqual([1, 2, undefined]);
    expect(folder.read('run/aside/bar/bar_2.1/number')).toBe('3');
  }, 540_000);
});

test('an ensemble that was a model, and a model that was an ensemble: what was there gives way as a whole', async () => {
  const model = makePlan([{ name: 'bar' }]);
  const folder = new JobFolder(bundle(), model);
  const go = () =>
    folder.run(`runtime launch bar -- ${line.replace('../../log', '$SIMWRIGHT_DIR/../log')} & launched+=($!)`);
  expect((await go()).code).toBe(0);
  writePlan(folder, planOf([1, 2]));
  expect((await go()).code).toBe(0);
  expect(readdirSync(folder.path('run/bar')).sort()).toEqual(['bar_0', 'bar_1', 'log']);
  expect(folder.read('run/aside/bar/bar.1/tries')).toBe('x\n');
  writePlan(folder, model);
  expect((await go()).code).toBe(0);
  expect(folder.read('run/bar/tries')).toBe('x\n');
  expect(folder.read('run/aside/bar/bar.2/bar_1/tries')).toBe('x\n');
}, 540_000);

test('what nobody knows of, where a member has to go, gives way too', async () => {
  const folder = new JobFolder(bundle(), planOf([1, 2]));
  mkdirSync(folder.path('run/bar/bar_1'), { recursive: true });
  writeFileSync(folder.path('run/bar/bar_1/precious'), 'mine');
  expect((await folder.run(`runtime launch bar -- ${line} & launched+=($!)`)).code).toBe(0);
  expect(folder.read('run/aside/bar/bar_1.1/precious')).toBe('mine');
}, 540_000);
