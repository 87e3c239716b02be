import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, type TestContext, test, vi } from 'vitest';
import { useBundle } from '../support/bundle.js';
import { JobFolder } from '../support/job-folder.js';
import { makePlan } from '../support/make-plan.js';
import { seeded } from '../support/seeded.js';
import { waitUntil } from '../support/wait-until.js';

vi.setConfig({ maxConcurrency: 2 });
const bundle = useBundle();

const sweep = {
  name: 'sweep',
  params: { case: [0, 1, 2, 3, 4, 5] },
  stores: ['orchestrator'],
  files: Array.from({ length: 40 }, (_, index) => {
    return {
      kind: 'configure' as const,
      artifact: 'artifacts/aa/in.lbm',
      to: `parts/${index}.in`,
      mode: 0o644,
      tag: ';',
    };
  }),
};
const analysis = { name: 'analysis', after: [{ name: 'sweep', event: 'completed' as const }] };
const template = `case ;case;\n${'# nothing\n'.repeat(2000)}`;
const steps = `
runtime up orchestrator
runtime launch sweep --at-most 2 -- sh ../../app.sh & launched+=($!)
runtime launch analysis -- sh ../analysis.sh & launched+=($!)`;

function prepared(context: TestContext): JobFolder {
  const plan = makePlan([sweep, analysis], [{ name: 'orchestrator' }]);
  const folder = new JobFolder(bundle(), plan, tmpdir(), context);
  folder.write('artifacts/aa/in.lbm', template);
  folder.write('run/app.sh', 'sleep 0.2; head -n 1 parts/39.in');
  folder.write('run/analysis.sh', 'cat ../sweep/*/*.out');
  return folder;
}

describe('SIGTERM at ten moments of a job, from its first line to its last', () => {
  const random = seeded(6);
  // One in each tenth of the run.
  const moments = Array.from({ length: 10 }, (_, index) => (index + random()) / 10);
  let whole: Promise<number> | undefined;

  /** Milliseconds that the job takes here, beside another one as in the tests. */
  async function measure(context: TestContext): Promise<number> {
    const started = performance.now();
    const ends = await Promise.all([prepared(context).run(steps), prepared(context).run(steps)]);
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    return performance.now() - started;
  }

  test.concurrent.for(moments)(
    '%f of its time: nothing is left, the record is right, a second run does the rest',
    { timeout: 120_000 },
    async (moment, context) => {
      whole ??= measure(context);
      const duration = await whole;
      const folder = prepared(context);
      const job = folder.start(steps);
      await new Promise((resolve) => setTimeout(resolve, moment * duration));
      // It may be quicker than those that were measured.
      job.child.kill('SIGTERM');
      const end = await job.ended;
      expect([0, 143, null]).toContain(end.code);
      expect(end.stderr).not.toContain('this is a bug');
      await folder.expectNothingLeft(job);

      const states = folder.states('sweep');
      for (const [index, state] of states.entries()) {
        expect(['none', 'staged', 'interrupted', 'completed']).toContain(state);
        const isThere = existsSync(folder.path(`run/sweep/sweep_${index}`));
        // What was never begun has no directory, what was has a whole one.
        if (state !== 'none') expect(isThere).toBe(true);
        if (isThere)
          expect(folder.read(`run/sweep/sweep_${index}/parts/39.in`)).toBe(template.replace(';case;', String(index)));
        if (state === 'completed')
          expect(folder.read(`run/sweep/sweep_${index}/sweep_${index}.out`)).toBe(`case ${index}\n`);
      }

      const again = await folder.run(steps);
      expect(again.stderr).toBe('');
      expect(again.code).toBe(0);
      const before = states.filter((state) => state === 'completed').length;
      if (before > 0) expect(again.stdout).toContain(`${before} completed before, skipped`);
      expect(folder.states('sweep')).toEqual(Array(6).fill('completed'));
      expect(folder.read('run/analysis/analysis.out')).toBe(
        [0, 1, 2, 3, 4, 5].map((index) => `case ${index}\n`).join(''),
      );
    },
  );
});

describe('two jobs on one folder at once', () => {
  test('each member runs once; each says which the other holds, and by which job', async () => {
    const folder = new JobFolder(bundle(), makePlan([{ name: 'sweep', params: { case: [0, 1, 2, 3] } }]));
    folder.write('run/app.sh', 'echo x >> started; until [ -e ../../go ]; do sleep 0.02; done');
    const step = 'runtime launch sweep --at-most 2 -- sh ../../app.sh & launched+=($!)';
    const first = folder.start(step);
    await waitUntil('two run', () => folder.states('sweep').filter((state) => state === 'running').length === 2);
    const second = folder.start(step);
    await waitUntil('four run', () => folder.states('sweep').every((state) => state === 'running'));
    folder.write('run/go', '');
    const ends = await Promise.all([first.ended, second.ended]);
    expect(ends[1].code).toBe(1);
    for (const index of [0, 1]) {
      expect(ends[1].stderr).toContain(
        `error[RUN1008]: sweep_${index} is being run by job ${first.pid} ('main', process `,
      );
    }
    expect(ends[1].stdout).toContain('2 completed, 2 being run by others');
    for (const index of [0, 1, 2, 3]) expect(folder.read(`run/sweep/sweep_${index}/started`)).toBe('x\n');
    expect(folder.states('sweep')).toEqual(Array(4).fill('completed'));
    await folder.expectNothingLeft(first);
    await folder.expectNothingLeft(second);
  });
});
