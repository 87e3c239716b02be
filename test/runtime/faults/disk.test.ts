import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { useBundle } from '../support/bundle.js';
import { JobFolder } from '../support/job-folder.js';
import { makePlan } from '../support/make-plan.js';
import { mayMount, Tmpfs } from '../support/tmpfs.js';
import { waitUntil } from '../support/wait-until.js';

const bundle = useBundle();
const disks: Tmpfs[] = [];
const why = mayMount ? '' : ' (skipped: a tmpfs can be mounted by root alone)';

afterEach(() => {
  for (const disk of disks.splice(0)) disk.remove();
});

const sweep = {
  name: 'sweep',
  params: { case: [0, 1, 2] },
  files: [{ kind: 'copy' as const, artifact: 'artifacts/aa/table.dat', to: 'table.dat', mode: 0o644 }],
};
const table = Buffer.alloc(1 << 20, 'x');

/** A job's folder on a disk of 8 MB, with a table of 1 MB that each member gets. */
function onSmallDisk(): { folder: JobFolder; disk: Tmpfs } {
  const disk = new Tmpfs('8m');
  disks.push(disk);
  const folder = new JobFolder(bundle(), makePlan([sweep]), disk.folder);
  folder.write('artifacts/aa/table.dat', table);
  return { folder, disk };
}

/** Takes all that is left of a disk but some bytes; returns the file. */
function fill(disk: Tmpfs, leave: number): string {
  const file = join(disk.folder, 'filler');
  const piece = Buffer.alloc(4096);
  const pieces: Buffer[] = [];
  for (;;) {
    try {
      writeFileSync(file, piece, { flag: 'a' });
      pieces.push(piece);
    } catch {
      break;
    }
  }
  if (leave > 0) {
    const kept = Math.max(0, pieces.length * piece.length - leave);
    writeFileSync(file, Buffer.alloc(kept));
  }
  return file;
}

const steps = 'runtime launch sweep --at-most 1 -- sh ../../app.sh & launched+=($!)';

describe.skipIf(!mayMount)(`a full disk${why}`, () => {
  test('while a member is staged: the reason is said, no half directory stays, and a second run does the rest', async () => {
    const { folder, disk } = onSmallDisk();
    folder.write('run/app.sh', 'cksum table.dat');
    // Room for one table and a little more.
    const filler = fill(disk, 1.5 * table.length);
    const end = await folder.run(steps);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('error[RUN1007]: run/sweep/sweep_1 cannot be staged: ENOSPC: no space left on device');
    expect(end.stdout).toContain('sweep (3 members): 1 completed, 2 failed');
    expect(folder.states('sweep')).toEqual(['completed', 'failed', 'failed']);
    expect(folder.members('sweep')[2]).toMatchObject({ reason: expect.stringContaining('ENOSPC') });
    expect(readdirSync(folder.path('run/sweep'))).toEqual(['sweep_0']);
    expect(folder.halfFiles()).toEqual([]);

    rmSync(filler);
    const again = await folder.run(steps);
    expect(again.stderr).toBe('');
    expect(again.stdout).toContain('sweep (3 members): 2 completed, 1 completed before, skipped');
    expect(readFileSync(folder.path('run/sweep/sweep_2/table.dat')).equals(table)).toBe(true);
  });

  test('while an application runs: it runs on, and what happened to it is written once there is room', async () => {
    const { folder, disk } = onSmallDisk();
    folder.write('run/app.sh', 'until [ -e ../../go ]; do sleep 0.02; done');
    const job = folder.start(steps);
    await waitUntil('the first runs', () => folder.states('sweep')[0] === 'running');
    const filler = fill(disk, 0);
    // A file without content needs no room in a tmpfs.
    folder.write('run/go', '');
    await waitUntil('the first has ended', () => !existsSync(folder.path('run/sweep/sweep_0.lock')));
    rmSync(filler);
    await job.ended;
    const again = await folder.run(steps);
    expect(again.stderr).toBe('');
    expect(folder.states('sweep')).toEqual(['completed', 'completed', 'completed']);
    await folder.expectNothingLeft(job);
  });
});

test('a record that cannot be written to the end fails the job, not the application, and the next run does it again', async () => {
  const folder = new JobFolder(bundle(), makePlan([{ name: 'solver' }]));
  const step = "runtime launch solver -- sh -c 'echo ran >> ../ran' & launched+=($!)";
  const job = folder.start(`
mkdir -p run/status
ln -s /dev/full "run/status/main.solver.$$.jsonl"
${step}`);
  const end = await job.ended;
  expect(end.code).toBe(1);
  const record = folder.path(`run/status/main.solver.${job.pid}.jsonl`);
  expect(end.stderr).toContain(`error[OUT1002]: ${record} cannot be written: ENOSPC: no space left on device`);
  expect(end.stdout).toContain('solver: 1 completed');
  expect(folder.read('run/ran')).toBe('ran\n');
  rmSync(record);
  expect((await folder.run(step)).code).toBe(0);
  expect(folder.read('run/ran')).toBe('ran\nran\n');
  expect(folder.states('solver')).toEqual(['completed']);
});

describe.skipIf(!mayMount)(`a read-only file system${why}`, () => {
  test.each(['runtime launch sweep -- true & launched+=($!)', 'runtime up orchestrator || exit $?'])(
    '%s: says so, is no bug of ours, and leaves nothing',
    async (line) => {
      const disk = new Tmpfs('8m');
      disks.push(disk);
      const folder = new JobFolder(bundle(), makePlan([sweep], [{ name: 'orchestrator' }]), disk.folder);
      folder.write('artifacts/aa/table.dat', table);
      // The script itself is written before.
      await folder.run('true');
      const script = folder.path('jobs/main.sh');
      writeFileSync(script, readFileSync(script, 'utf8').replace('\ntrue\n', `\n${line}\n`));
      disk.remount('ro');
      const job = folder.startWritten();
      const end = await job.ended;
      expect(end.stderr).toContain(`error[OUT1002]: ${folder.path('run')}`);
      expect(end.stderr).toContain('EROFS: read-only file system');
      expect(end.stderr).not.toContain('this is a bug');
      expect(end.code).toBe(1);
      disk.remount('rw');
      await folder.expectNothingLeft(job);
    },
  );
});

test('a template that has vanished since the compilation is named; the others of its folder are not touched', async () => {
  const files = [{ kind: 'configure' as const, artifact: 'artifacts/bb/in.lbm', to: 'in.lbm', mode: 0o644, tag: ';' }];
  const folder = new JobFolder(bundle(), makePlan([{ ...sweep, files }]));
  folder.write('artifacts/bb/in.lbm', 'case ;case;\n');
  folder.write('run/app.sh', 'cat in.lbm');
  const only = (member: number) => `runtime launch sweep --member ${member} -- sh ../../app.sh & launched+=($!)`;
  expect((await folder.run(only(0))).code).toBe(0);
  rmSync(folder.path('artifacts/bb/in.lbm'));
  const end = await folder.run('runtime launch sweep -- sh ../../app.sh & launched+=($!)');
  expect(end.code).toBe(1);
  expect(end.stderr).toContain('error[RUN1007]: artifacts/bb/in.lbm, which becomes in.lbm of sweep, is not there');
  expect(end.stderr).toContain('hint: compile the workflow again');
  // Nothing has been begun by then.
  expect(folder.states('sweep')).toEqual(['completed', 'none', 'none']);
  expect(readdirSync(folder.path('run/sweep'))).toEqual(['sweep_0']);
  folder.write('artifacts/bb/in.lbm', 'case ;case;\n');
  expect((await folder.run('runtime launch sweep -- sh ../../app.sh & launched+=($!)')).code).toBe(0);
  expect(folder.read('run/sweep/sweep_2/sweep_2.out')).toBe('case 2\n');
});
