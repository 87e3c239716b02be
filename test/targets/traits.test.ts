import { describe, expect, it, test } from 'vitest';
import { LauncherName, type TargetName } from '../../src/ir/index.js';
import { launcherOfProgram, launcherPrograms, launchers } from '../../src/targets/launchers/index.js';
import { targets } from '../../src/targets/registry.js';
import { queriesOf } from '../../src/targets/schedulers.js';
import type { Target } from '../../src/targets/target.js';

describe('launchers', () => {
  it('are all listed, under their own names', () => {
    expect(Object.keys(launchers).sort()).toEqual([...LauncherName.options].sort());
    for (const [name, launcher] of Object.entries(launchers)) expect(launcher.name).toBe(name);
  });
  it('start their lines with their program', () => {
    const step = { name: 'm', nodes: 1, tasks: 1, tasksPerNode: 1, cpusPerTask: 1, overlap: false, namesHosts: false };
    const program = { step: { ...step, environment: [], launcherArgs: {} }, words: ['app'] };
    for (const launcher of Object.values(launchers)) {
      const line = launcher.line([program]);
      expect('words' in line && line.words[0]).toBe(launcher.program ?? 'app');
    }
  });
  it('share a program where MPIs name theirs alike', () => {
    expect(launcherPrograms.filter((name) => name === 'mpiexec')).toEqual(['mpiexec']);
    const alike = LauncherName.options.filter((name) => launchers[name].program === 'mpiexec');
    expect(alike.map((name) => launchers[name].mpi?.name)).toEqual(['hydra', 'PALS']);
    expect(launcherOfProgram('jsrun')).toBe(launchers.jsrun);
    expect(launcherOfProgram('app')).toBeUndefined();
    expect(launcherOfProgram(undefined)).toBeUndefined();
  });
  it("tell ranks in variables of which the batch script's own comes last", () => {
    const variables = Object.values(launchers).flatMap(({ rankVariables }) => rankVariables);
    expect(variables.at(-1)).toBe('SLURM_PROCID');
    expect(variables.indexOf('OMPI_COMM_WORLD_RANK')).toBe(0);
  });
});

test('the runtime asks each scheduler as the command line does', () => {
  for (const target of Object.values(targets) as Target[]) expect(queriesOf[target.name]).toBe(target.queries);
});

test.each<[TargetName, string, boolean]>([
  ['pbs', '12.server.OU', true],
  ['pbs', '12[7].server.OU', true],
  ['pbs', '123.server.OU', false],
  ['cobalt', 'sweep.cobaltlog', true],
  ['cobalt', 'sweep-3.error', true],
  ['cobalt', 'sweep.x.output', false],
  ['cobalt', 'sweeps.output', false],
])('%s: %s is a log of job sweep (12): %s', (name, file, isLog) => {
  expect((targets[name] as Target).isLog?.(file, 'sweep', ['12'])).toBe(isLog);
});
