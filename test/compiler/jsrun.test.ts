import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { command, experiment } from '../../src/dsl/index.js';
import type { AuthoredExperiment, SiteInput } from '../../src/ir/index.js';
import { ranksOf } from '../helpers/erf.js';
import { compileFor, messagesOf, runtimeLines, scriptOf } from './support/compile-experiment.js';

const summit = (threadsPerCore?: number): SiteInput => ({
  name: 'summit',
  target: 'lsf',
  node: { cores: 42, gpus: 6, ...(threadsPerCore === undefined ? {} : { threadsPerCore }) },
});

/** The explicit resource file of an experiment. */
function erfOf(open: AuthoredExperiment, site: SiteInput = summit()) {
  const { files, plan } = compileFor(site, open);
  const found = plan.entities.flatMap((one) => one.files).find(({ to }) => to === 'simwright.erf');
  const path = found?.kind === 'copy' ? found.artifact : '';
  const content = files.find((file) => file.path === path || file.path === `artifacts/${path}`)?.content;
  if (typeof content === 'string') return ranksOf(content);
  if (content === undefined) throw new Error(`there is no ${path}`);
  return ranksOf('file' in content ? readFileSync(content.file, 'utf8') : Buffer.from(content.bytes).toString());
}

describe('the reader of these tests', () => {
  it.each([
    ['a host by the wrong key', 'rank: 0: { host: n1; cpu: {0} }'],
    ['the launch node', 'rank: 0: { host: 0; cpu: {0} }'],
    ['a CPU that two ranks have', 'rank: 0-1: { host: 1; cpu: {0-1},{1-2} }'],
    ['an unknown setting', 'cpu_index: logical\nrank: 0: { host: 1; cpu: {0} }'],
  ])('refuses %s', (_, text) => {
    expect(() => ranksOf(text)).toThrow();
  });
});

describe('explicit resources of jsrun', () => {
  const ice = command('ice').tasks(2).cpusPerTask(2);
  const mpmd = command('ocean').tasks(4).nodes(2).mpmd(ice);

  it('give each program hosts of its own', () => {
    const ranks = erfOf(experiment('e').model('m', mpmd));
    expect(ranks.map(({ host, app }) => [host, app])).toEqual([
      [1, 0],
      [1, 0],
      [2, 0],
      [2, 0],
      [3, 1],
      [3, 1],
    ]);
    expect(ranks.map(({ cpus }) => cpus)).toEqual([[0], [1], [0], [1], [0, 1], [2, 3]]);
  });

  it('tell stores of the same nodes their CPUs, too, each its own', () => {
    const open = experiment('e')
      .orchestrator({ cpus: 2 })
      .model('m', command('a').tasks(2).nodes(2).mpmd(ice))
      .colocate({ uds: true, cpus: 3, id: 'own' });
    const { stores, entities } = compileFor(summit(4), open).plan;
    const [standalone, colocated] = stores.map(({ resources }) => ranksOf(resources?.text ?? ''));
    expect(standalone?.map(({ host, cpus }) => [host, cpus[0], cpus.at(-1)])).toEqual([[1, 0, 7]]);
    expect(colocated?.map(({ host, cpus }) => [host, cpus[0], cpus.at(-1)])).toEqual([
      [1, 8, 19],
      [2, 8, 19],
      [3, 8, 19],
    ]);
    expect(entities[0]?.launch.lines[0]?.resources).toEqual({ file: 'simwright.erf', threadsPerCore: 4, bound: false });
  });

  it('are told all launches of the nodes where one is, and none elsewhere', () => {
    const other = command('b').tasks(2);
    const resourcesOf = (open: AuthoredExperiment) =>
      compileFor(summit(), open).plan.entities.map(({ launch }) => launch.lines[0]?.resources?.file);
    expect(resourcesOf(experiment('e').model('m', mpmd).model('n', other))).toEqual(['simwright.erf', 'simwright.erf']);
    expect(resourcesOf(experiment('e').model('m', command('a').tasks(2)).model('n', other))).toEqual([
      undefined,
      undefined,
    ]);
    expect(resourcesOf(experiment('e').model('m', command('a', '{hosts}').tasks(2)).model('n', other))).toEqual([
      'simwright.erf',
      'simwright.erf',
    ]);
  });

  it('keep off the CPUs that stores hold where a user binds', () => {
    const bound = (cpus: number[]) =>
      experiment('e').model('m', command('a').tasks(2).cpuBind(cpus)).colocate({ uds: true, cpus: 2 });
    expect(messagesOf(summit(), bound([1, 4]))).toEqual([
      "PLAN1002 'm': a store holds the first 2 CPUs of each node, and jsrun would wait for it",
    ]);
    expect(erfOf(bound([2, 4])).map(({ cpus }) => cpus)).toEqual([[2], [4]]);
  });

  it('count hardware threads where the site says how many a core has', () => {
    expect(erfOf(experiment('e').model('m', mpmd), summit(4)).map(({ cpus }) => cpus)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [0, 1, 2, 3, 4, 5, 6, 7],
      [8, 9, 10, 11, 12, 13, 14, 15],
    ]);
  });

  it('ask a store to end on all nodes with the first', () => {
    const open = experiment('e').model('m', command('a').tasks(2).nodes(2)).colocate({ uds: true });
    const [up = '', launch = ''] = runtimeLines(scriptOf(compileFor(summit(), open), 'e'));
    expect(up).toContain(' --exit_on_error=1');
    expect(launch).not.toContain('exit_on_error');
  });
});

describe('-nnodes', () => {
  it('stands without -R and -m, and what would need them is refused', () => {
    const sized = experiment('e')
      .batch({ memory: '64G' })
      .model('m', command('a').tasks(2).nodes(2).memoryPerNode('8G'));
    const script = scriptOf(compileFor(summit(), sized), 'e');
    expect(script).toContain('#BSUB -nnodes 2\n');
    expect(script).not.toMatch(/#BSUB -(R|m)\b/);
    expect(script).toContain('--memory_per_rs=8192');
    const picky = experiment('e')
      .batch({ constraint: 'fast' })
      .model('m', command('a').hosts(['h1']));
    expect(messagesOf(summit(), picky)).toEqual([
      "PLAN1002 job 'e': the constraint 'fast' cannot stand beside -nnodes, which jobs for jsrun have",
      "PLAN1002 job 'e': hosts by name cannot stand beside -nnodes, which jobs for jsrun have",
    ]);
    const expert = { drop: ['-nnodes'], set: { '-csm': 'y', '-R': '1*{select[LN]} + 42*{select[CN] span[ptile=42]}' } };
    const own = experiment('e')
      .batch({ directives: expert })
      .model('m', command('a').tasks(2).hosts(['h1']));
    expect(erfOf(own).map(({ host }) => host)).toEqual(['h1', 'h1']);
  });
});

describe('CPUs of a node in an exclusive job of LSF, whose site does not state them', () => {
  const cpus = (launcher: 'mpirun' | 'jsrun', exclusive: boolean) => {
    const model = experiment('e').batch({ exclusive, nodes: 2 }).model('m', command('app').tasks(4).launcher(launcher));
    return /SIMWRIGHT_CPUS_PER_NODE=(.*)/.exec(
      scriptOf(compileFor({ name: 's', target: 'lsf', launcher }, model), 'e'),
    )?.[1];
  };

  it('are those of the machine, and not the slot that it asks for; a launch node tells nothing about them', () => {
    expect(cpus('mpirun', true)).toBe('$(nproc --all)');
    expect(cpus('mpirun', false)).toBe(`$(awk '{ print $2 }' <<<"$LSB_MCPU_HOSTS")`);
    expect(cpus('jsrun', true)).toBe(`$(awk '{ print $4 }' <<<"$LSB_MCPU_HOSTS")`);
  });
});
