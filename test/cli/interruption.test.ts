import { readdirSync } from 'node:fs';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { expectNothingLeft, processesOf } from '../helpers/leftovers.js';
import { meanwhile, simwright, simwrightWords, startSimwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { waitUntil } from '../runtime/support/wait-until.js';

/** Member 0 ends at once; the others say their process id and work until the file `go` is there. */
function longSweep(): Workspace {
  const workspace = new Workspace();
  workspace.write(
    'app.mjs',
    `import { appendFileSync, existsSync } from 'node:fs';
const [, , , name, folder] = process.argv;
appendFileSync(folder + '/tries', name + ' ' + process.pid + '\\n');
if (name !== 'sweep_0') setInterval(() => existsSync(folder + '/go') && process.exit(0), 20);
`,
  );
  workspace.workflow(`experiment('long')
  .ensemble('sweep', command('node', 'app.mjs', '{args}', '{name}', ${JSON.stringify(workspace.cwd)}))
    .params({ LEVEL: [0, 1, 2, 3] }, { asArgs: ['LEVEL'] })
    .attach({ copy: 'app.mjs' })
    .colocate({ uds: true })
    .batch({ maxConcurrent: 2 })`);
  return workspace;
}

const tried = (workspace: Workspace) => workspace.lines('tries').map((line) => line.split(' ')[0] ?? '');

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function expectInterrupted(workspace: Workspace): Promise<void> {
  const pids = workspace.lines('tries').map((line) => Number(line.split(' ')[1]));
  expect(pids.filter(isAlive)).toEqual([]);
  expect(workspace.members('out')).toEqual([
    'sweep_0 completed 0',
    expect.stringMatching(/^sweep_1 interrupted 143$/),
    expect.stringMatching(/^sweep_2 interrupted 143$/),
    'sweep_3 pending',
  ]);
  await expectNothingLeft(workspace.path('out'));

  workspace.write('go', '');
  const second = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out');
  expect(second.exitCode).toBe(0);
  expect(tried(workspace).sort()).toEqual(['sweep_0', 'sweep_1', 'sweep_1', 'sweep_2', 'sweep_2', 'sweep_3']);
  expect(workspace.members('out')).toEqual([0, 1, 2, 3].map((index) => `sweep_${index} completed 0`));
  await expectNothingLeft(workspace.path('out'));
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  '%s in the middle: applications end, nothing is left, the next run finishes the rest',
  async (signal, code) => {
    const workspace = longSweep();
    const running = startSimwright(workspace, 'run', 'workflow.ts', '--out', 'out');
    await meanwhile(running, 'two members work', () => tried(workspace).length === 3);
    running.kill(signal);
    const end = await running;
    expect(end).toMatchObject({ exitCode: code, stdout: '' });
    expect(end.stderr).toContain('ending the applications...\n');
    expect(end.stderr).toContain('interrupted: everything has been ended; run again to finish what is left\n');
    await expectInterrupted(workspace);
  },
);

test('Ctrl-C on a terminal', async () => {
  const workspace = longSweep();
  const words = [...simwrightWords, 'run', 'workflow.ts', '--out', 'out'].join(' ');
  const terminal = execa('script', ['-qec', words, '/dev/null'], { cwd: workspace.cwd, reject: false });
  await meanwhile(terminal, 'two members work', () => tried(workspace).length === 3);
  terminal.stdin.write('\u0003');
  const { exitCode, stdout } = await terminal;
  expect(exitCode).toBe(130);
  expect(stdout).toContain('interrupted: everything has been ended');
  await expectInterrupted(workspace);
});

test('a terminal that is closed ends the run as well', async () => {
  const workspace = longSweep();
  const words = [...simwrightWords, 'run', 'workflow.ts', '--out', 'out'].join(' ');
  const terminal = execa('script', ['-qec', words, '/dev/null'], { cwd: workspace.cwd, reject: false });
  await meanwhile(terminal, 'two members work', () => tried(workspace).length === 3);
  terminal.kill('SIGKILL');
  await terminal;
  await waitUntil('the run has ended', () => processesOf(workspace.cwd).length === 0);
  await expectInterrupted(workspace);
});

test('Ctrl-C while the folder is written: it is whole or not there, and nothing lies beside it', async () => {
  const workspace = longSweep();
  const before = readdirSync(workspace.cwd);
  const running = startSimwright(workspace, 'compile', 'workflow.ts', '--with-onnxruntime', '--out', 'out');
  const staging = () => readdirSync(workspace.cwd).some((name) => name.startsWith('out.part'));
  while (!staging() && !workspace.has('out')) await new Promise((resolve) => setImmediate(resolve));
  running.kill('SIGINT');
  const { signal, exitCode } = await running;
  // The second where the signal came too late.
  expect([
    [undefined, 'SIGINT'],
    [0, undefined],
  ]).toContainEqual([exitCode, signal]);
  expect(readdirSync(workspace.cwd).sort()).toEqual([...before, 'out'].sort());
  const check = await simwright(workspace, 'compile', 'workflow.ts', '--with-onnxruntime', '--out', 'out', '--check');
  expect(check.exitCode).toBe(0);
});
