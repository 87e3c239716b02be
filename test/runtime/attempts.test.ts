import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseStatusLine } from '../../src/runtime/status/index.js';
import { useBundle } from './support/bundle.js';
import { JobFolder } from './support/job-folder.js';
import { makePlan } from './support/make-plan.js';
import { waitUntil } from './support/wait-until.js';

const bundle = useBundle();

/** Fails the first time with a line on standard error, the second with one on standard output, then succeeds; keeps a file of its own. */
const flaky = `echo x >> tries
case $(wc -l < tries) in
1) echo "step 811"; echo "FATAL: matrix is singular at step 812" >&2; exit 1;;
2) echo "NaN in cell 7"; exit 3;;
*) echo fine;;
esac
`;

/** Says which attempt it is, and works until it is allowed to end. */
const patient = `echo "attempt $(ls | grep -c out)"; echo warned >&2; touch begun
while [ ! -e ../../go ]; do sleep 0.05; done
`;

function prepared(params: readonly number[], app: string): JobFolder {
  const folder = new JobFolder(bundle(), makePlan([{ name: 'e', params: { A: [...params] } }]));
  folder.write('run/app.sh', app);
  return folder;
}

const steps = 'runtime launch e --at-most 2 -- sh ../../app.sh & launched+=($!)';
const outputs = (folder: JobFolder, member: string, ...names: readonly string[]) =>
  names.map((name) => readFileSync(folder.path('run/e', member, `${member}.${name}`), 'utf8'));

// Few members are started directly, many through shells that stay.
describe.each([
  ['started directly', [1, 2]],
  ['started by shells', [1, 2, 3, 4, 5, 6, 7, 8]],
])('members %s', (_how, params) => {
  test('a retry keeps the output of each attempt, and the files that the application left', async () => {
    const folder = prepared(params, flaky);
    const end = await folder.run(steps, { SIMWRIGHT_RETRY: '2' });
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(folder.read('run/e/e_1/tries')).toBe('x\nx\nx\n');
    expect(outputs(folder, 'e_1', 'out', 'err', 'out.1', 'err.1', 'out.2', 'err.2')).toEqual([
      'fine\n',
      '',
      'step 811\n',
      'FATAL: matrix is singular at step 812\n',
      'NaN in cell 7\n',
      '',
    ]);
    const [status = ''] = folder.statusFiles();
    const events = status.split('\n').flatMap((line) => parseStatusLine(line) ?? []);
    const ends = events.flatMap((event) =>
      'state' in event && event.index === 1 && ['failed', 'completed'].includes(event.state)
        ? [[event.attempt, event.exit, event.cause?.stream, event.cause?.line]]
        : [],
    );
    expect(ends).toEqual([
      [1, 1, 'err', 'FATAL: matrix is singular at step 812'],
      [2, 3, 'out', 'NaN in cell 7'],
      [3, 0, undefined, undefined],
    ]);
  });

  test('a rerun after kill -9 of everything keeps what the killed attempt had written', async () => {
    const folder = prepared(params, patient);
    const job = folder.start(steps);
    await waitUntil('two members write', () => [0, 1].every((index) => folder.has(`run/e/e_${index}/begun`)));
    folder.killAll();
    await job.ended;
    await waitUntil('nothing runs', () => folder.processes().length === 0);
    folder.write('run/go', '');
    const again = await folder.run(steps);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(outputs(folder, 'e_0', 'out.1', 'err.1', 'out', 'err')).toEqual([
      'attempt 1\n',
      'warned\n',
      'attempt 2\n',
      'warned\n',
    ]);
    expect(folder.members('e').map((event) => [event?.state, event?.attempt])).toEqual(
      params.map((_, index) => ['completed', index < 2 ? 2 : 1]),
    );
  });
});
