import { expect, test } from 'vitest';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

/** Compiles a workflow for this machine. */
async function compiled(chain: string): Promise<Workspace> {
  const workspace = new Workspace();
  workspace.workflow(chain);
  const end = await simwright(workspace, 'compile', 'workflow.ts', '--site', 'local', '--out', 'out');
  expect(end, end.stderr).toMatchObject({ exitCode: 0 });
  return workspace;
}

/** Runs its submit.sh; says how it ended, and what its jobs' logs have. */
async function run(workspace: Workspace) {
  const end = await simwright(workspace, 'submit', 'out');
  return { exitCode: end.exitCode, log: (name: string) => workspace.read('out/logs', `${name}.out`) };
}

/** Number of the first line of a script that has the text, from 1. */
const lineOf = (workspace: Workspace, script: string, text: string) =>
  workspace
    .read('out', script)
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;

/** Seconds between the first and the last word of an entity's launches. */
function secondsOf(workspace: Workspace, file: RegExp): number {
  const name = workspace.files('out/run/status').find((one) => file.test(one)) ?? '';
  const times = workspace.lines('out/run/status', name).map((line) => Date.parse(JSON.parse(line).time));
  return ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000;
}

const chain = (setup: string) => `experiment('e')
  .model('solver', command('true'))${setup}
  .model('post', command('true')).after('solver')
  .model('report', command('true')).after('solver', 'ended')`;

test('a launch that dies before its first word: those of its job who wait learn it at once, and which line it was', async () => {
  const workspace = await compiled(chain(`.setup({ commands: ['PATH=/nowhere'] })`));
  const { exitCode, log } = await run(workspace);
  expect(exitCode).not.toBe(0);
  const line = lineOf(workspace, 'jobs/e.sh', 'runtime launch solver');
  expect(log('e')).toContain(
    "error[RUN1009]: post is not launched: it waits for 'solver' to have completed, but " +
      `its launch has gone before it began: jobs/e.sh:${line}\n`,
  );
  expect(log('e')).toContain('report: 1 completed');
  expect(secondsOf(workspace, /\.post\./)).toBeLessThan(10);
  // The status shows the entity that was not launched.
  const status = await simwright(workspace, 'status', 'out', '--json');
  expect(JSON.parse(status.stdout).entities[0]).toMatchObject({ name: 'solver', pending: 1 });
  expect(workspace.files('out/run/status').filter((name) => name.endsWith('.launched'))).toEqual([]);
});

test('a launch that somebody has taken out of the script is not waited for', async () => {
  const workspace = await compiled(chain(''));
  const script = workspace.read('out/jobs/e.sh');
  workspace.write('out/jobs/e.sh', script.replace(/^runtime launch solver.*\n/m, ''), 0o755);
  const { log } = await run(workspace);
  expect(log('e')).toContain('to have completed, but jobs/e.sh does not launch it\n');
  expect(log('e')).toContain('report: 1 completed');
});

test('a launch that is killed in its setup, before it says anything', async () => {
  const workspace = await compiled(chain(`.setup({ commands: ['sleep 1', 'kill -KILL "$BASHPID"'] })`));
  const { log } = await run(workspace);
  expect(log('e')).toMatch(/to have completed, but its launch has gone before it began: jobs\/e\.sh:\d+\n/);
});

test('a script that dies in its preamble: other jobs who wait learn it, and which line it was', async () => {
  const workspace = await compiled(`experiment('e')
  .model('solver', command('true')).batch({ preamble: ['fetch() { false; }', 'fetch'] })
  .model('watch', command('true')).after('solver', 'started').batch({})
  .model('report', command('true')).after('solver', 'ended').batch({})`);
  const { exitCode, log } = await run(workspace);
  expect(exitCode).toBe(4);
  const line = lineOf(workspace, 'jobs/solver.sh', 'fetch() {') + 1;
  expect(log('watch')).toMatch(
    new RegExp(
      "error\\[RUN1009\\]: watch is not launched: it waits for 'solver' to have started, but job 'solver' \\(\\d+\\) has " +
        `ended: its script ended with exit code 1 before its launches at jobs/solver\\.sh:${line}: fetch\n`,
    ),
  );
  expect(log('report')).toContain('report: 1 completed');
});

test('a job that is killed before it says anything is over for those who wait for it', async () => {
  const workspace = await compiled(`experiment('e')
  .model('solver', command('true')).batch({ preamble: ['kill -KILL $$'] })
  .model('watch', command('true')).after('solver', 'started').batch({})`);
  const { log } = await run(workspace);
  expect(log('watch')).toMatch(/to have started, but job 'solver' \(\d+\) has ended\n/);
});

test('a job whose store does not come up says of its launches that they do not come', async () => {
  const workspace = await compiled(`experiment('e')
  .model('solver', command('true')).colocate({ uds: true }).batch({})
  .model('watch', command('true')).after('solver', 'started').batch({})`);
  const script = workspace.read('out/jobs/solver.sh');
  workspace.write('out/jobs/solver.sh', script.replace(/^runtime up .*$/m, 'false'), 0o755);
  const { log } = await run(workspace);
  expect(log('watch')).toContain("but solver was skipped: job 'solver' ended before it was launched\n");
});
