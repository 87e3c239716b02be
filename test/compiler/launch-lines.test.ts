import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastGlob from 'fast-glob';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile, loadWorkflow } from '../../src/compiler/index.js';
import { WorkflowError } from '../../src/diagnostics/index.js';
import { Site, type SiteInput } from '../../src/ir/index.js';
import { aprun } from '../../src/rehearse/launchers/aprun.js';
import { type LauncherGrammar, launchLines, readLaunch } from '../../src/rehearse/launchers/grammar.js';
import { hydra } from '../../src/rehearse/launchers/hydra.js';
import { jsrun } from '../../src/rehearse/launchers/jsrun.js';
import { openMpi } from '../../src/rehearse/launchers/open-mpi.js';
import { pals } from '../../src/rehearse/launchers/pals.js';
import { fixtures, textsOf } from './support/compile-fixture.js';

const words = (line: string) => line.split(' ').filter((word) => word !== '');

/** Sixty-four hosts in the place of those that the runtime and the shell fill in: `{hosts}`, `{hosts:2}`, `"$SIMWRIGHT_HOSTS"`. */
const withHosts = (word: string) =>
  word.replace(/^(\{hosts(?:\[[\d-]+\])?(:\d+)?\}|"?\$.*)$/s, (_, __, slots = '') =>
    Array.from({ length: 64 }, (_, index) => `n${index + 1}${slots}`).join(','),
  );

/** Reads a line as its launcher does; what it takes without a word and nobody means is a fault of ours. */
function read(grammar: LauncherGrammar, line: readonly string[]) {
  const { programs, doubts } = readLaunch(grammar, line.map(withHosts));
  if (doubts.length > 0) throw new Error(doubts.join('; '));
  return programs;
}

describe('the readers of these tests', () => {
  it.each<[string, LauncherGrammar, string]>([
    ['Open MPI', openMpi, '-np 4 --map-by ppr:2:node --bind-to none --host {hosts:2} -x A -x B=1 app -n 3'],
    ['Open MPI', openMpi, '-np 4 --map-by ppr:2:node:PE=2 --host n1:2,n2:2 app'],
    ['Open MPI', openMpi, '-np 1 --bind-to cpu-list:ordered --cpu-list 0,1 a : -np 2 --host n1:2 -x A b'],
    ['hydra', hydra, '-n 4 -ppn 2 -hosts {hosts} app -ppn 3'],
    ['hydra', hydra, '-n 2 -hosts n1,n2 -bind-to user:0,1 a : -n 4 b'],
    ['PALS', pals, '-n 4 --ppn 2 --depth 2 --hosts {hosts} --cpu-bind depth app'],
    ['PALS', pals, '-n 4 --ppn 2 --cpu-bind list:0-1:2-3 a : -n 2 --ppn 1 b'],
    ['aprun', aprun, '-n 4 -N 2 -d 2 -m 512m -cc depth -L 12,13 a : -n 2 -N 2 b'],
    ['jsrun', jsrun, '--nrs=2 --tasks_per_rs=4 --cpu_per_rs=8 --gpu_per_rs=1 --rs_per_host=1 --bind=packed:2 app'],
    ['jsrun', jsrun, '--erf_input=simwright.erf --exit_on_error=1'],
  ])('%s takes %$', (_, grammar, line) => {
    expect(read(grammar, words(line)).length).toBe(line.split(' : ').length);
  });

  it.each<[string, LauncherGrammar, string]>([
    ['more tasks a host than slots', openMpi, '-np 4 --map-by ppr:4:node --host n1:2 app'],
    ['more tasks than slots', openMpi, '-np 4 --map-by node --host n1,n2 app'],
    ['a value of another launcher', openMpi, '-np 2 --bind-to depth app'],
    ['a joined value', openMpi, '-np 2 --bind-to=none app'],
    ['placement of a second program', openMpi, '-np 2 a : -np 2 --map-by node b'],
    ['the number of tasks twice', openMpi, '-np 2 -n 2 app'],
    ['a list of CPUs without binding', openMpi, '-np 2 --cpu-list 0,1 app'],
    ['a number of tasks that is none', hydra, '-n x app'],
    ['hosts of a second program', hydra, '-n 1 a : -n 1 -hosts n2 b'],
    ['a binding of another launcher', hydra, '-n 2 -bind-to cpu-list app'],
    ['hosts of no name', hydra, '-n 2 -hosts n1, app'],
    ['slots of hosts', pals, '-n 2 --hosts n1:2 app'],
    ['more tasks a node than tasks', pals, '-n 2 --ppn 4 app'],
    ['hosts by name', aprun, '-n 2 -N 2 -L nid12 app'],
    ['memory without a number', aprun, '-n 2 -m m app'],
    ['a file beside sets', jsrun, '--erf_input=a --nrs=2 app'],
    ['more CPUs than the set has', jsrun, '--nrs=1 --tasks_per_rs=2 --cpu_per_rs=2 --bind=packed:2 app'],
    ['sets and tasks', jsrun, '--nrs=1 --np=2 app'],
    ['sets of no CPU', jsrun, '--nrs=1 --cpu_per_rs=0 app'],
    ['an unknown option', jsrun, '--tasks_per_host=2 app'],
  ])('refuse %s', (_, grammar, line) => {
    expect(() => read(grammar, words(line))).toThrow();
  });
});

describe('launch lines of every workflow of the fixtures', () => {
  const workflows: Awaited<ReturnType<typeof loadWorkflow>>[] = [];
  beforeAll(async () => {
    for (const { folder } of fixtures) workflows.push(await loadWorkflow(join(folder, 'workflow.ts')));
  });

  it.each([
    ['pbs', 'mpiexec', hydra],
    ['lsf', 'jsrun', jsrun],
    ['cobalt', 'aprun', aprun],
    ['local', 'mpirun', openMpi],
  ] as const)('in the scripts expected for %s are as %s reads them', (target, program, grammar) => {
    const patterns = fixtures.map(({ folder }) => join(fastGlob.escapePath(folder), `expected/${target}/jobs/*`));
    const files = fastGlob.sync(patterns);
    const lines = files.flatMap((file) => checked(readFileSync(file, 'utf8'), program, grammar));
    expect(lines.length).toBeGreaterThan(target === 'cobalt' ? 3 : 15);
  });

  it.each([
    ['pbs', 'mpirun', 'mpirun', openMpi],
    ['lsf', 'orterun', 'orterun', openMpi],
    ['pbs', 'pals', 'mpiexec', pals],
    ['pbs', 'aprun', 'aprun', aprun],
  ] as const)('compiled for %s with %s are as %s reads them', (target, launcher, program, grammar) => {
    const site = Site.parse({ name: 's', target, launcher } satisfies SiteInput);
    const lines: string[] = [];
    for (const workflow of workflows) {
      for (const script of scriptsOf(workflow, site)) lines.push(...checked(script, program, grammar));
    }
    expect(lines.length).toBeGreaterThan(15);
  });
});

/** The script's launch lines, each read as its launcher does. */
function checked(script: string, program: string, grammar: LauncherGrammar): string[] {
  return launchLines(script, program).map((line) => {
    const text = line.join(' ');
    // The runtime fills in the program of a store.
    expect(() => read(grammar, [...line, 'program']), text).not.toThrow();
    return text;
  });
}

/** Scripts of a workflow's jobs; none where it cannot run there. */
function scriptsOf(workflow: Awaited<ReturnType<typeof loadWorkflow>>, site: Site): string[] {
  try {
    const files = textsOf(compile({ ...workflow, version: 'x.y.z' }, site));
    return files.flatMap(([path, text]) => (path.startsWith('jobs/') ? [text] : []));
  } catch (error) {
    if (error instanceof WorkflowError) return [];
    throw error;
  }
}
