import { expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { meanwhile, simwright, startSimwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

/** The sweep of the case: what a user does all day. Its values come from the environment. */
function sweep(chain = ''): Workspace {
  const workspace = new Workspace();
  workspace.write('in.bar', 'kappa = ;KAPPA;\nnx = ;NX;\n');
  workspace.write(
    'workflow.ts',
    `import { command, experiment } from 'simwright';

const kappa = (process.env.KAPPA ?? '0.1,0.5').split(',').map(Number);
export default experiment('rerun')
  .ensemble('bar', command('sh', '-c', 'cat in.bar; date +%s%N >> stamp'))
  .params({ KAPPA: kappa, NX: [10, 20] })
  .attach({ configure: 'in.bar' })${chain};
`,
  );
  return workspace;
}

const run = (workspace: Workspace, kappa: string, ...words: readonly string[]) =>
  simwright({ cwd: workspace.cwd, env: { KAPPA: kappa } }, 'run', 'workflow.ts', '--out', 'out', ...words);

/** How often each member has run in the directory that it has, and what it was told. */
function members(workspace: Workspace, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const folder = `out/run/bar/bar_${index}`;
    const [kappa = '', nx = ''] = workspace.lines(folder, 'in.bar').map((line) => line.split(' = ')[1] ?? '');
    return `${kappa} ${nx} ×${workspace.lines(folder, 'stamp').length}`;
  });
}

test('a value more, a value in the middle and a value less: what has completed never runs again', async () => {
  const workspace = sweep();
  const first = await run(workspace, '0.1,0.5');
  expect(first).toMatchObject({ exitCode: 0 });
  expect(first.stderr).not.toContain('new');
  workspace.write('out/run/bar/bar_0/marker', 'precious');
  workspace.write('out/run/bar/bar_3/marker', 'precious');

  expect((await run(workspace, '0.1,0.5,1', '--dry-run')).stdout).toBe('bar: 2 new; 4 done\n  bar_4, bar_5: new\n');
  const more = await run(workspace, '0.1,0.5,1');
  expect(more.stderr).toContain('\nbar: 2 new; 4 done\n');
  expect(members(workspace, 6)).toEqual(['0.1 10 ×1', '0.1 20 ×1', '0.5 10 ×1', '0.5 20 ×1', '1 10 ×1', '1 20 ×1']);
  expect(workspace.read('out/run/bar/bar_3/marker')).toBe('precious');

  const middle = await run(workspace, '0.1,0.3,0.5,1');
  expect(middle.stderr).toContain('\nbar: 2 new; 6 done, 4 of them renumbered\n');
  expect(members(workspace, 8).filter((one) => !one.endsWith('×1'))).toEqual([]);
  expect(members(workspace, 8).slice(2, 6)).toEqual(['0.3 10 ×1', '0.3 20 ×1', '0.5 10 ×1', '0.5 20 ×1']);
  expect(workspace.read('out/run/bar/bar_5/marker')).toBe('precious');
  expect(workspace.read('out/run/bar/bar_5/bar_5.out')).toBe('kappa = 0.5\nnx = 20\n');
  expect(workspace.members('out')).toContain('bar_5 completed 0');
  // Moved members have left nothing aside.
  expect(workspace.has('out/run/aside')).toBe(false);

  const less = await run(workspace, '0.1,1');
  expect(less.stderr).toContain('\nbar: all 4 done, 2 of them renumbered; 4 no longer a member, moved aside\n');
  expect(members(workspace, 4)).toEqual(['0.1 10 ×1', '0.1 20 ×1', '1 10 ×1', '1 20 ×1']);
  expect(workspace.read('out/run/bar/bar_0/marker')).toBe('precious');
  expect(workspace.has('out/run/bar/bar_4')).toBe(false);
  const aside = JSON.parse((await simwright(workspace, 'clean', 'out', '--json')).stdout);
  expect(aside.directories).toHaveLength(4);
  await expectNothingLeft(workspace.path('out'));
}, 360_000);

test('a changed value, a changed file, a changed word and a changed variable: those run that they concern, and the rest stays', async () => {
  const workspace = sweep();
  await run(workspace, '0.1,0.5');
  const value = await run(workspace, '0.1,0.6');
  expect(value.stderr).toContain('\nbar: 2 changed: KAPPA 0.5 → 0.6; 2 done\n');
  expect(members(workspace, 4)).toEqual(['0.1 10 ×1', '0.1 20 ×1', '0.6 10 ×1', '0.6 20 ×1']);
  expect(workspace.read('out/run/aside/bar/bar_2.1/in.bar')).toContain('kappa = 0.5\n');

  const foretold = async () => (await run(workspace, '0.1,0.6', '--dry-run')).stdout.split('\n')[0];
  const source = workspace.read('workflow.ts');
  workspace.write('workflow.ts', source.replace('cat in.bar;', 'cat in.bar; true;'));
  expect(await foretold()).toMatch(/^bar: 4 changed: the word .* → /);
  workspace.write('workflow.ts', source.replace("stamp')", "stamp').env({ OMP_NUM_THREADS: '8' })"));
  expect(await foretold()).toBe('bar: 4 changed: OMP_NUM_THREADS 8 is new');
  // Where and how long it runs, and what it may read besides, changes nothing.
  workspace.write(
    'workflow.ts',
    source.replace(';\n', ';\n').replace("stamp')", "stamp').walltime('00:10:00').cpusPerTask(1)"),
  );
  expect(await foretold()).toBe('bar: all 4 done');
  workspace.write(
    'workflow.ts',
    source.replace("configure: 'in.bar' })", "configure: 'in.bar' }).registerIncomingEntity('bar')"),
  );
  expect(await foretold()).toBe('bar: all 4 done');
  workspace.write('workflow.ts', source);

  workspace.write('in.bar', `${workspace.read('in.bar')}# a comment\n`);
  const compiled = await simwright(
    { cwd: workspace.cwd, env: { KAPPA: '0.1,0.6' } },
    'compile',
    'workflow.ts',
    '--out',
    'out',
  );
  expect(compiled.stderr).toBe('bar: 4 changed: in.bar\n');
  const status = await simwright(workspace, 'status', 'out', '--why');
  expect(status.stdout).toContain('\nbar: 4 changed: in.bar\n  bar_0 to bar_3: changed: in.bar\n');
  const json = JSON.parse((await simwright(workspace, 'status', 'out', '--why', '--json')).stdout);
  expect(json.rerun).toEqual([
    {
      name: 'bar',
      members: 4,
      run: 4,
      done: 0,
      renumbered: 0,
      kept: 0,
      broughtBack: 0,
      removed: 0,
      reasons: [{ why: 'changed: in.bar', count: 4, indices: '0-3' }],
      keptReasons: [],
    },
  ]);

  const kept = await run(workspace, '0.1,0.6', '--keep');
  expect(kept).toMatchObject({ exitCode: 0 });
  expect(kept.stderr).toContain('\nbar: all 4 done, 4 of them kept as they are, though they have changed: in.bar\n');
  // Accepted is accepted.
  expect(await foretold()).toBe('bar: all 4 done');
  expect(members(workspace, 4).filter((one) => !one.endsWith('×1'))).toEqual([]);
}, 360_000);

test('--fresh moves everything aside; clean lists it with sizes, and removes what it is told to', async () => {
  const workspace = sweep();
  await run(workspace, '0.1');
  workspace.write('out/run/bar/bar_0/result', 'x'.repeat(3000));
  const fresh = await run(workspace, '0.1', '--fresh');
  expect(fresh.stderr).toContain('\nbar: 2 run afresh\n');
  expect(members(workspace, 2)).toEqual(['0.1 10 ×1', '0.1 20 ×1']);
  expect(workspace.has('out/run/aside/bar/bar_0.1/result')).toBe(true);

  const listed = await simwright(workspace, 'clean', 'out');
  expect(listed.exitCode).toBe(0);
  expect(listed.stdout).toMatch(/^bar\/bar_0\.1 +3\.0 KiB +\d{4}-\d\d-\d\d \d\d:\d\d +run afresh$/m);
  expect((await simwright(workspace, 'clean', 'out', '--remove', 'bar/bar_9.1')).exitCode).toBe(2);
  const one = await simwright(workspace, 'clean', 'out', '--remove', 'bar/bar_0.1');
  expect(one.stdout).toBe('removed one directory, 3.0 KiB\n');
  expect(workspace.has('out/run/aside/bar/bar_0.1')).toBe(false);
  expect(workspace.has('out/run/aside/bar/bar_1.1/stamp')).toBe(true);
  expect((await simwright(workspace, 'clean', 'out', '--remove')).exitCode).toBe(0);
  expect((await simwright(workspace, 'clean', 'out')).stderr).toBe('nothing has been moved aside\n');
  expect(members(workspace, 2)).toEqual(['0.1 10 ×1', '0.1 20 ×1']);
}, 360_000);

test('an analysis after an ensemble that grew runs again, and says why; one that only waits for more does not', async () => {
  const analysis = `
  .model('analysis', command('sh', '-c', 'ls ../bar; date +%s%N >> stamp')).after('bar')
  .model('other', command('true'))`;
  const workspace = sweep(analysis);
  await run(workspace, '0.1');
  const grown = await run(workspace, '0.1,0.5');
  expect(grown.stderr).toContain('\nbar: 2 new; 2 done\nanalysis: input changed: bar (2 new)\nother: done\n');
  expect(grown.stdout).toBe('bar_0\nbar_1\nbar_2\nbar_3\n');
  const again = await run(workspace, '0.1,0.5');
  expect(again.stderr).toContain('\nbar: all 4 done\nanalysis: done\nother: done\n');
  expect(workspace.lines('out/run/analysis/stamp')).toHaveLength(1);
  expect(workspace.lines('out/run/aside/analysis/analysis.1/stamp')).toHaveLength(1);
  const shrunk = await run(workspace, '0.5', '--dry-run');
  expect(shrunk.stdout).toContain('analysis: input changed: bar (2 gone)\n');

  workspace.write(
    'workflow.ts',
    workspace.read('workflow.ts').replace(".after('bar')", ".after('bar').after('other')"),
  );
  const more = await run(workspace, '0.1,0.5', '--dry-run');
  expect(more.stdout).toBe('bar: all 4 done\nanalysis: done\nother: done\n');
}, 360_000);

test('failed members go on in their directory; a member whose directory is gone, and one whose number matters, run again', async () => {
  const workspace = new Workspace();
  const line = 'echo x >> tries; [ $(cat ../../../../sick) != $N ] || exit 3';
  const workflow = (values: string, words = '') =>
    workspace.workflow(`experiment('e').ensemble('sick', command('sh', '-c', 'N=$(sed -n "s/.*: //p" params.json); ${line}'${words}))
  .params({ N: [${values}] })`);
  workflow('1, 2, 3');
  workspace.write('sick', '2');
  const go = (...words: readonly string[]) => simwright(workspace, 'run', 'workflow.ts', '--out', 'out', ...words);
  expect((await go()).exitCode).toBe(4);
  workspace.write('sick', '0');
  const mended = await go();
  expect(mended.stderr).toContain('\nsick: 1 failed; 2 done\n');
  expect(workspace.lines('out/run/sick/sick_1/tries')).toHaveLength(2);
  expect(workspace.lines('out/run/sick/sick_0/tries')).toHaveLength(1);

  workspace.write('sick', '1');
  workflow('0, 1, 2, 3');
  const numbered = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out', '--dry-run');
  expect(numbered.stdout.split('\n')[0]).toBe('sick: 1 new; 3 done, 3 of them renumbered');
  workflow('1, 2, 3', ", '{name}'");
  workspace.write('sick', '0');
  await go();
  workflow('0, 1, 2, 3', ", '{name}'");
  const named = await go('--dry-run');
  expect(named.stdout.split('\n')[0]).toBe('sick: 1 new; 3 renumbered, whose command holds {name}');
}, 360_000);

test('compile and run refuse a folder whose job runs, and name it; --force does it all the same', async () => {
  const workspace = new Workspace();
  workspace.workflow(
    "experiment('long').model('solver', command('sh', '-c', 'touch started; until [ -e ../../../go ]; do sleep 0.02; done'))",
  );
  const first = startSimwright(workspace, 'run', 'workflow.ts', '--out', 'out');
  await meanwhile(first, 'the solver has started', () => workspace.has('out/run/solver/started'));
  const id = workspace.lines('out/run/jobs.tsv')[0]?.split('\t')[1];
  const refused = await simwright(workspace, 'compile', 'workflow.ts', '--out', 'out', '--json');
  expect(refused.exitCode).toBe(1);
  const [problem] = JSON.parse(refused.stdout).problems;
  expect(problem.code).toBe('OUT1003');
  expect(problem.message).toContain(`long (${id}, RUNNING)`);
  const dry = await simwright(workspace, 'run', 'workflow.ts', '--out', 'out', '--dry-run');
  expect(dry.stdout).toBe('solver: running\n');
  expect((await simwright(workspace, 'compile', 'workflow.ts', '--out', 'out', '--force')).exitCode).toBe(0);
  workspace.write('go', '');
  expect((await first).exitCode).toBe(0);
  expect((await simwright(workspace, 'compile', 'workflow.ts', '--out', 'out')).exitCode).toBe(0);
  await expectNothingLeft(workspace.path('out'));
}, 360_000);

test('submit.sh says what runs and why before it submits; --keep and --fresh exclude each other', async () => {
  const workspace = sweep();
  await run(workspace, '0.1,0.5');
  await simwright({ cwd: workspace.cwd, env: { KAPPA: '0.1,0.6' } }, 'compile', 'workflow.ts', '--out', 'out');
  const { execa } = await import('execa');
  const submit = (...words: readonly string[]) => execa(workspace.path('out/submit.sh'), words, { reject: false });
  expect((await submit('--fresh', '--keep')).exitCode).toBe(2);
  const kept = await submit('--keep');
  expect(kept).toMatchObject({
    exitCode: 0,
    stderr: 'bar: all 4 done, 2 of them kept as they are, though they have changed: KAPPA 0.5 → 0.6',
  });
  expect(members(workspace, 4)).toEqual(['0.1 10 ×1', '0.1 20 ×1', '0.5 10 ×1', '0.5 20 ×1']);
  const fresh = await submit('--fresh');
  expect(fresh).toMatchObject({ exitCode: 0, stderr: 'bar: 4 run afresh' });
  expect(members(workspace, 4)).toEqual(['0.1 10 ×1', '0.1 20 ×1', '0.6 10 ×1', '0.6 20 ×1']);
  const submitted = await simwright(workspace, 'submit', 'out');
  expect(submitted.stderr).toBe('bar: all 4 done\n');
}, 360_000);
