import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { packagesPath, smartredisPython } from '../runtime/orchestrator/support/python.js';

const found = await smartredisPython();
const python = 'python' in found ? found.python : '';
const why = 'missing' in found ? ` (skipped: no smartredis: ${found.missing})` : '';

/** The workflow's python3 is the one that has the packages. */
const env = { PATH: `${dirname(python)}:${process.env['PATH']}`, SR_LOG_LEVEL: 'QUIET' };

const producer = `
import os, signal
import numpy as np
import simwright
from simwright.ml import TrainingUploader

run = simwright.run
way = run.param("WAY", str)
uploader = TrainingUploader(target_name="", end_of_stream=way == "end")
for number in range(run.param("BATCHES", int)):
    uploader.put_batch(np.full((2, 3), run.param("VALUE", float)))
open("written.txt", "w").write("x")
if way == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
`;

const trainer = `
import json
import simwright
from simwright.ml import DataInfo, TrainingDownloader

downloader = TrainingDownloader(DataInfo("training_data", target_name=""), batch_size=2, init_samples=False)
values = [float(batch[0, 0]) for batch in downloader.stream()]
print(json.dumps({"values": sorted(values), "end": downloader.published_end(), "run": simwright.run.as_dict()}))
`;

const results = `
import json, sys
import simwright

found = simwright.results(sys.argv[1])
rows = [{**row, "directory": row["directory"] and str(row["directory"]), "files": sorted(row["files"])} for row in found]
frame = found.to_pandas()
one = simwright.results(sys.argv[1], "producer")
print(json.dumps({"rows": rows, "columns": list(frame.columns), "mean": frame["VALUE"].mean(), "count": len(one)}))
`;

describe.skipIf(why !== '')(`members and results for Python programs${why}`, () => {
  let workspace: Workspace;
  let out: string;
  let output: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    // Kept for all tests: the workspace goes away with the last.
    workspace = new Workspace(undefined, { onTestFinished: () => undefined });
    workspace.write('producer.py', producer);
    workspace.write('trainer.py', trainer);
    workspace.workflow(`experiment('members')
  .orchestrator()
  .ensemble('producer', command('python3', 'producer.py'))
    .params({ WAY: ['end', 'silent', 'crash'], VALUE: [1, 2.5, 3], BATCHES: 4 }, { strategy: 'step' })
    .attach({ copy: ['producer.py'] })
  .model('trainer', command('python3', 'trainer.py'))
    .params({ LAYERS: 2 })
    .attach({ copy: ['trainer.py'] })
    .registerIncomingEntity('producer')
    .after('producer', 'started')
  .model('never', command('true'))
    .after('producer', 'completed')`);
    const end = await simwright({ cwd: workspace.cwd, env }, 'run', 'workflow.ts', '--out', 'out');
    out = workspace.path('out');
    expect(end.exitCode, `${end.stdout}${end.stderr}`).toBe(4);
    const text = workspace.read('out/run/trainer/trainer.out');
    expect(text, workspace.read('out/run/trainer/trainer.err')).not.toBe('');
    output = JSON.parse(text) as typeof output;
  });
  afterAll(() => workspace?.remove());

  test('a trainer ends with producers that crash, and with those that say nothing', async () => {
    const values = [1, 2.5, 3].flatMap((value) => Array.from({ length: 4 }, () => value));
    expect(output).toMatchObject({ values, end: 'failed' });
    await expectNothingLeft(out);
  });

  test('a member knows who and where it is', () => {
    expect(output['run']).toEqual({
      name: 'trainer',
      entity: 'trainer',
      index: 0,
      params: { LAYERS: 2 },
      directory: join(out, 'run/trainer'),
      experiment: 'members',
      job: 'members',
      job_id: expect.stringMatching(/^\d+$/),
      incoming: ['producer_0', 'producer_1', 'producer_2'],
      key_prefix: null,
      stores: { '': { addresses: [expect.stringMatching(/^127\.0\.0\.1:\d+$/)], is_clustered: false } },
    });
  });

  test('results are members with parameters and files, and a table of pandas', async () => {
    const paths = [join(root, 'python'), await packagesPath(python, 'training')].join(':');
    const { stdout } = await promisify(execFile)(python, ['-c', results, out], {
      env: { ...process.env, PYTHONPATH: paths },
    });
    const { rows, columns, mean, count } = JSON.parse(stdout) as {
      readonly rows: readonly Readonly<Record<string, unknown>>[];
      readonly columns: readonly string[];
      readonly mean: number;
      readonly count: number;
    };
    expect(rows.map(({ name, state, exit }) => [name, state, exit])).toEqual([
      ['producer_0', 'completed', 0],
      ['producer_1', 'completed', 0],
      ['producer_2', 'failed', 139],
      ['trainer', 'completed', 0],
      ['never', 'pending', null],
    ]);
    expect(rows[1]).toEqual({
      name: 'producer_1',
      entity: 'producer',
      index: 1,
      params: { WAY: 'silent', VALUE: 2.5, BATCHES: 4 },
      state: 'completed',
      exit: 0,
      seconds: expect.any(Number),
      host: expect.any(String),
      directory: join(out, 'run/producer/producer_1'),
      files: ['params.json', 'producer.py', 'producer_1.err', 'producer_1.out', 'written.txt'],
    });
    expect(rows[4]).toMatchObject({ params: {}, directory: null, files: [] });
    const parameters = ['WAY', 'VALUE', 'BATCHES', 'LAYERS'];
    expect(columns).toEqual([
      'name',
      'entity',
      'index',
      ...parameters,
      'state',
      'exit',
      'seconds',
      'host',
      'directory',
    ]);
    expect([mean, count]).toEqual([6.5 / 3, 3]);
  });

  test.each([
    ['import simwright; simwright.run', /RuntimeError: this process has not been started by Simwright: SIMWRIGHT_DIR/],
    ['import simwright; simwright.results(".")', /FileNotFoundError: .* has no plan\.json/],
    [
      'import simwright, sys; simwright.results(sys.argv[1], "x")',
      /KeyError: .*no 'x' in .*; it has: producer, trainer/,
    ],
    [
      'import simwright, sys; simwright.Member(sys.argv[1] + "/run/trainer").param("X", int)',
      /KeyError: .*it has: LAYERS/,
    ],
    [
      'import simwright, sys; simwright.Member(sys.argv[1] + "/run/trainer").param("LAYERS", str)',
      /TypeError: .*no str/,
    ],
  ])('a mistake is told: %s', async (program, text) => {
    const env = { PATH: process.env['PATH'], PYTHONPATH: join(root, 'python') };
    const failure = await promisify(execFile)(python, ['-c', program, out], { env }).catch((error: unknown) => error);
    expect((failure as { stderr: string }).stderr).toMatch(text);
  });
});
