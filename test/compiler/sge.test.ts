import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { command, experiment } from '../../src/dsl/index.js';
import type { SiteInput } from '../../src/ir/index.js';
import { readSge } from '../../src/rehearse/schedulers/sge/options.js';
import { jobName } from '../../src/targets/directives.js';
import { targets } from '../../src/targets/registry.js';
import { sgeQueries } from '../../src/targets/sge/queries.js';
import { allocation, job, site as makeSite } from '../targets/support.js';
import { compileFor, messagesOf, scriptOf } from './support/compile-experiment.js';
import { fixtures } from './support/compile-fixture.js';

/** Options of a script, as qsub reads them. */
const sgeOptions = (script: string) => readSge(script).options;

const app = command('app');
const cell = (more: Partial<SiteInput> = {}): SiteInput => ({ name: 'cell', target: 'sge', ...more });
const optionsOf = (site: SiteInput, authored: Parameters<typeof compileFor>[1], job = 'job') =>
  sgeOptions(scriptOf(compileFor(site, authored), job));
const tasks = (count: number, nodes: number, more: object = {}) =>
  experiment('job').batch(more).model('m', command('app').tasks(count).nodes(nodes));

describe('the reader of these tests', () => {
  it.each([
    ['#$ -o "a b" -N x', { '-o': 'a b', '-N': 'x' }],
    [`#$ -o 'a "b"'`, { '-o': 'a "b"' }],
    ['#$-A x', { '-A': 'x' }],
    ['#$ -o "a # b" -N x', { '-o': 'a ' }],
    ['true\n#$ -l h_rt=5\n#$ -l a=b,h_rt=6', { '-l': 'h_rt=6,a=b' }],
    [' #$ -N x', {}],
  ])('accepts %j', (script, options) => {
    expect(sgeOptions(script)).toEqual(options);
  });
  it.each(['#$ -N 9x', '#$ -N a:b', '#$ -N x y', '#$ -pe smp', '#$ -t 0-3', '#$ --nodes=2', '#$ -l'])(
    'refuses %j',
    (script) => {
      expect(() => sgeOptions(script)).toThrow();
    },
  );
});

describe('Grid Engine', () => {
  it('reads every job of the fixtures', () => {
    const scripts = fixtures.flatMap(({ folder }) =>
      readdirSync(folder, { recursive: true })
        .map(String)
        .filter((path) => path.startsWith('expected/sge/jobs/'))
        .map((path) => readFileSync(join(folder, path), 'utf8')),
    );
    expect(scripts.length).toBeGreaterThan(25);
    for (const script of scripts) {
      const options = sgeOptions(script);
      expect(options).toMatchObject({ '-S': '/bin/bash', '-cwd': '', '-j': 'y', '-notify': '', '-r': 'n' });
      expect(options['-o']).toBe(`logs/${options['-N']}-$JOB_ID${options['-t'] === undefined ? '' : '_$TASK_ID'}.out`);
      expect(options).not.toHaveProperty('-V');
      // The limit that the runtime reads is the one that qsub reads.
      const limit = /h_rt=(\d+):(\d+):(\d+)/
        .exec(options['-l'] ?? '')
        ?.slice(1)
        .map(Number);
      const seconds = limit?.reduce((sum, part) => sum * 60 + part);
      expect(sgeQueries.walltimeOf(script)).toBe(seconds);
    }
  });

  it('is given names that it takes', () => {
    for (const name of ['9x', 'a b', 'x/y:z']) expect(sgeOptions(`#$ -N ${jobName(name)}`)).toHaveProperty('-N');
  });

  it('is asked for the slots of one node in the environment that the site names, or the usual one', () => {
    expect(optionsOf(cell(), tasks(1, 1))).not.toHaveProperty('-pe');
    expect(optionsOf(cell(), tasks(4, 1))).toMatchObject({ '-pe': 'smp 4' });
    expect(optionsOf(cell({ parallelEnvironments: { oneNode: 'shared' } }), tasks(4, 1))).toMatchObject({
      '-pe': 'shared 4',
    });
  });

  it.each<[string, SiteInput['parallelEnvironments'], string]>([
    ['by the slots of each host', { perNode: 'mpi-{slots}' }, 'mpi-3 6'],
    ['the least that has so many', { perNode: 'mpi-{slots}', slots: [16, 8, 2] }, 'mpi-8 16'],
    ['with one slot a host', { perNode: 'scatter' }, 'scatter 2'],
    ['that fills hosts up', { fillUp: 'mpi' }, 'mpi 32'],
    ['rather one that gives each host the same', { fillUp: 'mpi', perNode: 'scatter' }, 'scatter 2'],
  ])('is asked for several nodes in an environment %s', (_, parallelEnvironments, wanted) => {
    const site = cell({ parallelEnvironments, node: { cores: 16 } });
    expect(optionsOf(site, tasks(6, 2))).toMatchObject({ '-pe': wanted });
  });

  it.each<[string, Partial<SiteInput>, Parameters<typeof compileFor>[1], string]>([
    ['several nodes', {}, tasks(2, 2), "needs 2 nodes, and site 'cell' names no parallel environment"],
    ['several nodes', { parallelEnvironments: { fillUp: 'mpi' } }, tasks(2, 2), 'names no parallel environment'],
    [
      'more slots than there are',
      { parallelEnvironments: { perNode: 'mpi-{slots}', slots: [2, 4] } },
      tasks(12, 2),
      "the job needs 6 slots of a node, and 'mpi-{slots}' gives 4 at most",
    ],
    ['whole nodes', {}, tasks(1, 1, { exclusive: true }), 'nothing says how a job gets whole nodes'],
    ['GPUs', {}, tasks(1, 1, { gpusPerNode: 1 }), "site 'cell' names no resource for them"],
    [
      'a part of a GPU for each slot',
      { resources: { gpus: { name: 'gpu' } } },
      tasks(4, 1, { gpusPerNode: 2 }),
      "'gpu' counts for each slot, and 2 GPUs for 4 slots is no whole number",
    ],
    ['a quality of service', {}, tasks(1, 1, { qos: 'high' }), "sge has no qos ('high')"],
    ['text that it would cut', {}, tasks(1, 1, { account: 'a #1' }), 'sge reads no further than the # of -P'],
    [
      'fewer hosts than nodes',
      { parallelEnvironments: { perNode: 'scatter' } },
      experiment('job').model('m', command('app').tasks(2).nodes(2).hosts(['n1'])),
      'gets hosts that are named only, and these are 1',
    ],
  ])('is not asked for %s where it would refuse or wait for ever', (_, more, authored, message) => {
    const [first = ''] = messagesOf(cell(more), authored);
    expect(first).toContain('PLAN1002');
    expect(first).toContain(message);
  });

  it.each<['slot' | 'node' | 'job', string]>([
    ['slot', 'mem=500M,gpu=1'],
    ['node', 'mem=2000M,gpu=4'],
    ['job', 'mem=4000M,gpu=8'],
  ])('counts memory and GPUs for each %s where the site says so', (per, wanted) => {
    const resources = { memory: { name: 'mem', per }, gpus: { name: 'gpu', per } };
    const site = cell({ resources, parallelEnvironments: { perNode: 'mpi-{slots}' } });
    expect(optionsOf(site, tasks(8, 2, { gpusPerNode: 4, memory: '2000M' }))['-l']).toBe(wanted);
  });

  it('reads what a workflow and its site say', () => {
    const workflow = experiment('job')
      .batch({ walltime: '26:00:01', account: 'abc', queue: 'long.q', reservation: '7', constraint: 'ib=true' })
      .model('m', command('app').hosts(['n1', 'n2']).memoryPerNode('1.5G'));
    const edited = cell({
      parallelEnvironments: { perNode: 'scatter' },
      directives: { drop: ['-notify'], set: { '-l h_rt': '9:0:0', '-p': -5, '-pe own': 3 } },
    });
    const script = scriptOf(compileFor(edited, workflow.model('n', app)), 'job');
    expect(script).toContain('\n#$ -pe own 3\n#$');
    expect(sgeOptions(script.replace('#$ -p -5\n', ''))).toMatchObject({
      '-P': 'abc',
      '-q': 'long.q',
      '-ar': '7',
      '-l': 'h_rt=9:0:0,mem_free=1536M,hostname=n1|n2,ib=true',
    });
    expect(script).not.toContain('-notify');
  });

  it.each([
    [['n1', 'n2'], [], 'n1|n2'],
    [['n1', 'n2'], ['n3', 'n4'], '(n1|n2)&!(n3|n4)'],
    [['n1'], ['n3'], 'n1&!(n3)'],
    [[], ['n3'], '!(n3)'],
  ])('is told of hosts %j without %j in one expression', (hosts, excludeHosts, wanted) => {
    const asked = job({ allocation: allocation({ cpusPerNode: 1, hosts, excludeHosts }) });
    const [directives = []] = targets.sge.directives(asked, 'mpirun', makeSite({ target: 'sge' }));
    expect(directives).toContainEqual({ flag: '-l', resource: 'hostname', value: wanted });
  });
});
