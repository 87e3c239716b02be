import { describe, expect, test } from 'vitest';
import { command, experiment } from '../../src/index.js';
import { compileFor, entityOf, messagesOf, runtimeLines, scriptOf } from './support/compile-experiment.js';

const site = { name: 's', target: 'slurm' as const, node: { cores: 16, gpus: 2 } };

const cluster = experiment('e')
  .rayCluster('ray', { nodes: 3, cpusPerNode: 4, gpusPerNode: 1 })
  .model('tune', command('tune'))
  .usesRay('ray');

describe('a Ray cluster', () => {
  test('is launched as one task a node', () => {
    const compiled = compileFor(site, cluster);
    const line = runtimeLines(scriptOf(compiled, 'e')).find((one) => one.includes('launch ray'));
    expect(line).toContain('srun -J ray --nodes=3 --ntasks=3 --ntasks-per-node=1 --cpus-per-task=4');
    expect(line).toContain('--gpus-per-node=1');
    expect(line).toContain('node ../../runtime/simwright.mjs ray-node ray');
    expect(entityOf(compiled.plan, 'ray').ray).toEqual({
      cpusPerNode: 4,
      gpusPerNode: 1,
      headArgs: [],
      workerArgs: [],
      auth: 'token',
      python: 'python3',
    });
  });

  test.each([
    ['srun', 'slurm', '--kill-on-bad-exit=1'],
    ['jsrun', 'lsf', '--exit_on_error=1'],
    ['pals', 'pbs', '--abort-on-failure'],
  ] as const)('ends on all nodes when %s sees it fail on one', (launcher, target, option) => {
    const lines = runtimeLines(scriptOf(compileFor({ ...site, target, launcher }, cluster), 'e'));
    expect(lines.find((one) => one.includes('launch ray'))).toContain(` ${option} `);
    expect(lines.find((one) => one.includes('launch tune'))).not.toContain(option);
  });

  test('has the cores of the site, its Python and its Node unless they are given', () => {
    const compiled = compileFor(
      { ...site, python: '/opt/python', nodeCommand: '/opt/node' },
      experiment('e').rayCluster('ray').model('m', command('m')).usesRay('ray'),
    );
    expect(entityOf(compiled.plan, 'ray').ray).toMatchObject({
      cpusPerNode: 16,
      gpusPerNode: 0,
      python: '/opt/python',
    });
    expect(entityOf(compiled.plan, 'ray').commands[0]?.[0]?.words[0]).toBe('/opt/node');
  });

  test('is one node on this machine, with the CPUs of one', () => {
    const { size, ray } = entityOf(compileFor('local', cluster).plan, 'ray');
    expect([size.nodes, size.tasks, ray?.cpusPerNode]).toEqual([1, 1, 4]);
    const free = experiment('e').rayCluster('ray', { nodes: 3 }).model('m', command('m')).usesRay('ray');
    expect(entityOf(compileFor('local', free).plan, 'ray').ray?.cpusPerNode).toBeUndefined();
  });

  test('is waited for by its users to start, once', () => {
    const start = { name: 'ray', event: 'started' };
    expect(entityOf(compileFor(site, cluster).plan, 'tune')).toMatchObject({ usesRay: 'ray', after: [start] });
    expect(entityOf(compileFor(site, cluster.after('ray', 'started')).plan, 'tune').after).toEqual([start]);
  });

  test('is told to users on other hosts, where the launcher is told each variable', () => {
    const compiled = compileFor({ ...site, launcher: 'mpirun' }, cluster);
    const line = runtimeLines(scriptOf(compiled, 'e')).find((one) => one.includes('launch tune'));
    expect(line).toContain('-x RAY_ADDRESS -x RAY_AUTH_MODE -x RAY_AUTH_TOKEN_PATH');
    expect(line).not.toContain('token=');
  });

  test('in a job of its own starts before the jobs of its users', () => {
    const compiled = compileFor(
      site,
      experiment('e')
        .rayCluster('ray', { nodes: 2, cpusPerNode: 4 })
        .batch({ walltime: '01:00:00' })
        .model('tune', command('tune'))
        .usesRay('ray'),
    );
    expect(compiled.plan.jobs.map(({ name, after }) => [name, after])).toEqual([
      ['ray', []],
      ['e', [{ job: 'ray', event: 'started' }]],
    ]);
  });

  test('gives its nodes to what follows all of its users', () => {
    const nodesOf = (later: (chain: typeof cluster) => typeof cluster) =>
      compileFor(site, later(cluster)).plan.jobs[0]?.allocation.nodes;
    const wide = command('wide').nodes(3).tasks(3).cpusPerTask(16);
    expect(nodesOf((chain) => chain.model('wide', wide).after('tune') as never)).toBe(3);
    expect(nodesOf((chain) => chain.model('wide', wide) as never)).toBe(4);
  });

  test('has no walltime of its own in that of its job', () => {
    const { allocation } = compileFor(
      site,
      experiment('e')
        .rayCluster('ray', { cpusPerNode: 1 })
        .model('m', command('m').walltime('00:10:00'))
        .usesRay('ray'),
    ).plan.jobs[0] as { allocation: { walltimeSeconds?: number } };
    expect(allocation.walltimeSeconds).toBe(660);
  });
});

describe('what is refused', () => {
  const of = (chain: Parameters<typeof messagesOf>[1]) => messagesOf(site, chain);

  test('a cluster that there is not, with the nearest name', () => {
    const chain = experiment<string>('e').rayCluster('ray').model('m', command('m')).usesRay('rya');
    expect(of(chain)).toContain("REF1001 .usesRay('rya'): there is no Ray cluster of that name");
  });

  test('a model in the place of a cluster', () => {
    const chain = experiment('e').model('a', command('a')).model('m', command('m')).usesRay('a');
    expect(of(chain)).toContain("REF1001 .usesRay('a'): there is no Ray cluster of that name");
  });

  test('the end of a cluster that one uses', () => {
    const message = "PLAN1013 'tune' would wait for the end of 'ray', which ends only when 'tune' has ended";
    expect(of(cluster.after('ray'))).toContain(message);
  });

  test('a cluster that nobody uses is a warning', () => {
    const { warnings } = compileFor(site, experiment('e').rayCluster('ray', { cpusPerNode: 1 }));
    expect(warnings.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "PLAN1014 nobody uses Ray cluster 'ray', so it runs until the walltime of its job is over",
    ]);
  });
});
