import { chmodSync } from 'node:fs';
import { execa } from 'execa';
import { afterEach, expect, test } from 'vitest';
import { useBundle } from '../support/bundle.js';
import { JobFolder } from '../support/job-folder.js';
import { makePlan } from '../support/make-plan.js';

const bundle = useBundle();
const isRoot = process.getuid?.() === 0;
/** Modes bind everybody but root: root runs these as nobody. */
const asNobody = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'] : [];
let opened: string[] = [];

afterEach(() => {
  for (const path of opened) chmodSync(path, 0o755);
  opened = [];
});

/** A folder that may be looked into by all and written by nobody, the places in `writable` excepted. */
async function closedFolder(writable: readonly string[]): Promise<JobFolder> {
  const folder = new JobFolder(bundle(), makePlan([{ name: 'sweep', params: { case: [0, 1] } }]));
  await folder.run('true');
  for (const path of ['run', 'run/status', 'run/sweep']) folder.makeFolder(path);
  for (const path of ['.', 'run', 'run/status', 'run/sweep']) {
    chmodSync(folder.path(path), writable.includes(path) ? 0o777 : 0o555);
    opened.push(folder.path(path));
  }
  return folder;
}

async function launchIn(folder: JobFolder) {
  const [program = '', ...words] = [
    ...asNobody,
    process.execPath,
    folder.path('runtime/simwright.mjs'),
    ...['launch', 'sweep', '--', 'true'],
  ];
  return await execa(program, words, {
    cwd: folder.dir,
    reject: false,
    stdin: 'ignore',
    env: { SIMWRIGHT_JOB: 'main', SIMWRIGHT_JOB_ID: '1' },
  });
}

test('run/ of somebody else: the launch ends at once and names it', async () => {
  const folder = await closedFolder([]);
  const end = await launchIn(folder);
  expect(end.exitCode).toBe(1);
  expect(end.stderr).toContain(`error[OUT1002]: ${folder.path('run')} cannot be written: EACCES: permission denied`);
  expect(folder.states('sweep')).toEqual(['none', 'none']);
});

test('run/status/ of somebody else: no member starts without a record', async () => {
  const folder = await closedFolder(['run', 'run/sweep']);
  const end = await launchIn(folder);
  expect(end.exitCode).toBe(1);
  expect(end.stderr).toContain(
    `error[OUT1002]: ${folder.path('run/status/main.sweep.1.jsonl')} cannot be written: EACCES`,
  );
  expect(folder.halfFiles()).toEqual([]);
});

test("the members' folder of somebody else: they fail with the reason, and are not said to be run by others", async () => {
  const folder = await closedFolder(['run', 'run/status']);
  const end = await launchIn(folder);
  expect(end.exitCode).toBe(1);
  expect(end.stderr).toContain(`error[OUT1002]: ${folder.path('run/sweep')}`);
  expect(end.stderr).toContain('EACCES: permission denied');
  expect(end.stderr).not.toContain('this is a bug');
  expect(end.stdout).toBe('sweep (2 members): 2 failed');
  expect(folder.halfFiles()).toEqual([]);
});
