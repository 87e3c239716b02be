import { describe, expect, test } from 'vitest';
import { command, experiment } from '../../src/index.js';
import { compileFor, lint, scriptOf } from './support/compile-experiment.js';

const wide = command('sim').tasks(2).nodes(2);

/** Lines of a job's script that run the runtime, and the one that waits for the nodes' addresses. */
function linesOf(...[site, authored, job = 'e']: [...Parameters<typeof compileFor>, job?: string]): string[] {
  const compiled = compileFor(site, authored);
  expect(lint(compiled)).toBe('');
  return scriptOf(compiled, job)
    .replace(/ \\\n\s+/g, ' ')
    .split('\n')
    .filter((line) => /^(runtime (allow|up|launch|hold) |wait "\$allowing")/.test(line));
}

const none = (lines: readonly string[]) => lines.filter((line) => line.includes('allow'));

describe('nodes tell their addresses', () => {
  const beside = experiment('e').batch({ nodes: 2 }).orchestrator().model('sim', wide);

  test('while a store starts', () => {
    const step = 'srun -J simwright-allow --nodes=2 --ntasks=2 --ntasks-per-node=1 --cpus-per-task=1 --mem=0 --overlap';
    const [first, second, third] = linesOf('slurm', beside);
    expect(first).toBe(`runtime allow -- ${step} & allowing=$!`);
    expect(second).toMatch(/^runtime up orchestrator -- srun /);
    expect(third).toBe('wait "$allowing" || true');
  });

  test('in a launch for each component that srun knows apart, and in one where hosts are named', () => {
    const differ = experiment('e')
      .batch({ walltime: '01:00:00' })
      .orchestrator()
      .model('sim', wide)
      .model('ai', command('ai').gpusPerNode(1))
      .requires({ gpusPerNode: 1, memory: '8G' });
    const [first = ''] = linesOf('slurm', differ);
    expect(first).toMatch(/--het-group=0 --nodes=2 .* -- srun -J simwright-allow --het-group=1 --nodes=1 --ntasks=1 /);
    const [named = ''] = linesOf('pbs', differ);
    const hosts = '"$' + '{SIMWRIGHT_HOSTS// /,}"';
    expect(named).toBe(`runtime allow -- mpiexec -n 3 -ppn 1 -hosts ${hosts} & allowing=$!`);
  });

  test.each([
    ['aprun', 'cobalt'],
    ['jsrun', 'lsf'],
  ] as const)('before a store whose launcher, %s, keeps its CPUs or nodes', (launcher, target) => {
    const three = experiment('e').batch({ nodes: 3, walltime: '01:00:00' }).orchestrator().model('sim', wide);
    const lines = linesOf({ name: 'here', target, launcher }, three);
    expect(lines[0]).toMatch(new RegExp(`^runtime allow -- ${launcher} .* \\|\\| true$`));
    expect(none(lines)).toHaveLength(1);
  });

  const apart = (nodes: number) =>
    experiment('e')
      .orchestrator({ name: 'db' })
      .batch({ walltime: '01:00:00' })
      .model('sim', command('sim').tasks(nodes).nodes(nodes))
      .batch({ walltime: '01:00:00' });

  test('in the job that uses a store of another job, and not in the job of the store', () => {
    expect(linesOf('slurm', apart(2), 'sim')[0]).toMatch(/^runtime allow -- srun .* \|\| true$/);
    expect(none(linesOf('slurm', apart(2), 'db'))).toEqual([]);
  });

  test('where they are several, or the script is on another one than the application and the store on a third', () => {
    expect(none(linesOf('slurm', apart(1), 'sim'))).toEqual([]);
    expect(none(linesOf('lsf', apart(1), 'sim'))).toHaveLength(1);
    const one = experiment('e').batch({ nodes: 1 }).orchestrator().model('sim', command('s'));
    for (const target of ['slurm', 'pbs', 'lsf'] as const) expect(none(linesOf(target, one))).toEqual([]);
  });

  test('only for stores on the network, by launchers', () => {
    const inside = experiment('e').batch({ nodes: 2 }).model('sim', wide).colocate({ uds: true });
    expect(none(linesOf('slurm', inside))).toEqual([]);
    const byHand = experiment('e').batch({ nodes: 2 }).orchestrator().model('sim', command('s'));
    expect(none(linesOf({ name: 'here', target: 'pbs', launcher: 'none' }, byHand))).toEqual([]);
  });
});
