import { execa } from 'execa';
import { expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { meanwhile, simwrightWords } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

test('run on a terminal shows each store and entity in place, and ends with what came of them', async () => {
  const workspace = new Workspace();
  workspace.write(
    'app.mjs',
    `import { existsSync } from 'node:fs';
const [, , level, folder] = process.argv;
setInterval(() => existsSync(folder + '/go') && process.exit(level === '--LEVEL=1' ? 3 : 0), 20);
`,
  );
  workspace.workflow(`experiment('shown')
  .orchestrator()
  .ensemble('sweep', command('node', 'app.mjs', '{args}', ${JSON.stringify(workspace.cwd)}))
    .params({ LEVEL: [0, 1, 2] }, { asArgs: ['LEVEL'] })
    .attach({ copy: 'app.mjs' })
  .model('analysis', command('true')).after('sweep')`);
  const words = ['stty cols 150 rows 40 &&', ...simwrightWords, 'run', 'workflow.ts', '--out', 'out'].join(' ');
  const env = { TERM: 'xterm', NO_COLOR: '', CI: '' };
  const terminal = execa('script', ['-qec', words, '/dev/null'], { cwd: workspace.cwd, env, reject: false });
  let seen = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
  });
  const atWork = [/orchestrator: [\d.]+ MiB, \d+ requests, 0 inferences/, /sweep: 0\/3 completed, \d running/];
  await meanwhile(terminal, 'it is shown at work', () => atWork.every((pattern) => pattern.test(seen)));
  workspace.write('go', '');
  const { exitCode } = await terminal;
  expect(exitCode).toBe(4);
  expect(seen).toContain('sweep: 2/3 completed, 1 failed');
  expect(seen).toMatch(/analysis: skipped: it waits for 'sweep' to have completed, but sweep_1 failed/);
  // The cursor, hidden while lines are redrawn, is back.
  expect(seen.lastIndexOf('\u001b[?25h')).toBeGreaterThan(seen.lastIndexOf('\u001b[?25l'));
  expect(seen.split('failed: sweep 2/3, analysis 0/1 completed; everything is in')).toHaveLength(2);
  await expectNothingLeft(workspace.path('out'));
});

test('with stdout in a file the view is on the terminal, and the file holds the results alone', async () => {
  const workspace = new Workspace();
  workspace.workflow("experiment('quiet').model('solver', command('echo', 'result'))");
  const words = ['stty cols 150 rows 40 &&', ...simwrightWords, 'run', 'workflow.ts', '> results'].join(' ');
  const { stdout } = await execa('script', ['-qec', words, '/dev/null'], { cwd: workspace.cwd, stdin: 'ignore' });
  expect(workspace.read('results')).toBe('result\n');
  expect(stdout).toContain('solver: completed');
});
