import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Plan } from '../../../src/ir/index.js';
import { readJobEnvironment } from '../../../src/runtime/job/job-environment.js';
import { MembersFile, StatusWriter } from '../../../src/runtime/status/index.js';
import { useBundle } from '../support/bundle.js';
import { JobFolder } from '../support/job-folder.js';
import { makePlan } from '../support/make-plan.js';
import { waitUntil } from '../support/wait-until.js';

let dir: string;
const files: MembersFile[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'simwright-members-'));
  mkdirSync(join(dir, 'run'));
});
afterEach(async () => {
  for (const file of files.splice(0)) await file.close();
  rmSync(dir, { recursive: true });
});

const job = (id: string) => readJobEnvironment({ SIMWRIGHT_JOB: 'main', SIMWRIGHT_JOB_ID: id }, dir);
const planOf = (count: number) => makePlan([{ name: 'e', params: { A: Array.from({ length: count }, (_, i) => i) } }]);

function membersFile(id: string, plan: Plan): MembersFile {
  const file = new MembersFile(job(id), plan);
  files.push(file);
  return file;
}

/** A launch that says that members have completed. */
function launchOf(id: string, plan: Plan): (index: number) => void {
  const [entity] = plan.entities;
  if (entity === undefined) throw new Error('no entity');
  const writer = new StatusWriter(job(id), plan, entity, undefined);
  return (index) =>
    writer.member({
      index,
      member: `e_${index}`,
      params: { A: index },
      state: 'completed',
      exit: 0,
      seconds: 1,
      host: 'n1',
    });
}

const rows = () => readFileSync(join(dir, 'run/members.csv'), 'utf8').trimEnd().split('\n').slice(1);
const completed = () => rows().filter((row) => row.endsWith(',completed,0,1,n1')).length;

test('is there soon after the launch begins, and follows what happens', async () => {
  const plan = planOf(3);
  const complete = launchOf('1', plan);
  membersFile('1', plan).keep();
  await waitUntil('it is there', () => readdirSync(join(dir, 'run')).includes('members.csv'));
  expect(rows()).toEqual(['e,0,e_0,0,pending,,,', 'e,1,e_1,1,pending,,,', 'e,2,e_2,2,pending,,,']);
  complete(1);
  await waitUntil('it is current', () => completed() === 1);
  expect(rows()[1]).toBe('e,1,e_1,1,completed,0,1,n1');
});

test('many writers on one file: every version that is read is whole, and the last has everything', async () => {
  const plan = planOf(600);
  const writers = Array.from({ length: 6 }, (_, at) => ({
    at,
    complete: launchOf(`${at}`, plan),
    file: membersFile(`${at}`, plan),
  }));
  let isOver = false;
  const reading = (async () => {
    while (!isOver) {
      if (readdirSync(join(dir, 'run')).includes('members.csv')) expect(rows()).toHaveLength(600);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  await Promise.all(
    writers.map(async ({ at, complete, file }) => {
      for (let index = at; index < 600; index += 6) {
        complete(index);
        if (index % 30 === at) await file.update();
      }
      await file.update();
    }),
  );
  isOver = true;
  await reading;
  expect(completed()).toBe(600);
  expect(readdirSync(join(dir, 'run'))).toEqual(['members.csv', 'status']);
});

test('an older version that a slow process has put in its place does not stay', async () => {
  const plan = planOf(2);
  const complete = launchOf('1', plan);
  complete(0);
  const file = membersFile('1', plan);
  await file.update();
  const old = readFileSync(join(dir, 'run/members.csv'), 'utf8');
  complete(1);
  await file.update();
  expect(completed()).toBe(2);
  writeFileSync(join(dir, 'run/members.csv'), old);
  const before = new Date(Date.now() - 60_000);
  utimesSync(join(dir, 'run/members.csv'), before, before);
  file.keep();
  await waitUntil('it is current again', () => completed() === 2);
});

test('while nothing happens, the file is not written, and says that it is current', async () => {
  const plan = planOf(2);
  launchOf('1', plan)(0);
  membersFile('1', plan).keep();
  await waitUntil('it is there', () => readdirSync(join(dir, 'run')).includes('members.csv'));
  const { ino, mtimeMs } = statSync(join(dir, 'run/members.csv'));
  await waitUntil('it was looked at again', () => statSync(join(dir, 'run/members.csv')).mtimeMs > mtimeMs);
  expect(statSync(join(dir, 'run/members.csv')).ino).toBe(ino);
});

test('10,000 members cost a launch a small part of its time', async () => {
  const plan = planOf(10_000);
  const complete = launchOf('1', plan);
  for (let index = 0; index < 10_000; index++) complete(index);
  const file = membersFile('1', plan);
  const before = process.cpuUsage();
  await file.update();
  const first = process.cpuUsage(before);
  expect(completed()).toBe(10_000);
  complete(7);
  const again = process.cpuUsage();
  await file.update();
  const { user, system } = process.cpuUsage(again);
  // Status events are not read twice; a version is written once a second, or in at most a twentieth of the time.
  expect(user + system).toBeLessThan(first.user + first.system);
});

describe('in a job', () => {
  const bundle = useBundle();

  test('an analysis reads how the members before it have ended, and where; others read it while members run', async () => {
    const plan = makePlan([
      { name: 'sweep', params: { A: [0, 1, 2] } },
      { name: 'analysis', after: [{ name: 'sweep', event: 'ended' }] },
      { name: 'patient' },
    ]);
    const folder = new JobFolder(bundle(), plan);
    folder.write('run/app.sh', '[ "$SIMWRIGHT_MEMBER" != 1 ] || exit 3');
    folder.write('run/patient.sh', 'touch begun; while [ ! -e go ]; do sleep 0.05; done');
    const job = folder.start(
      [
        'runtime launch sweep -- sh ../../app.sh & launched+=($!)',
        'runtime launch analysis -- cp ../members.csv seen.csv & launched+=($!)',
        'runtime launch patient -- sh ../patient.sh & launched+=($!)',
      ].join('\n'),
    );
    await waitUntil('the analysis has ended', () => folder.states('analysis')[0] === 'completed');
    const host = folder.members('sweep')[0]?.host;
    const ends = ['completed,0', 'failed,3', 'completed,0'];
    const seen = folder.read('run/analysis/seen.csv').trimEnd().split('\n').slice(1);
    expect(seen.map((row) => row.replace(/,[\d.]+,([^,]+)$/, ',$1'))).toEqual(
      ends.map((end, index) => `sweep,${index},sweep_${index},${index},${end},${host}`),
    );
    // Its directory is made anew when it begins.
    await waitUntil('the patient runs', () => existsSync(folder.path('run/patient/begun')));
    folder.write('run/patient/go', '');
    expect(await job.ended).toMatchObject({ code: 3 });
    await folder.expectNothingLeft(job);
  });
});
