import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describePlacement } from '../../src/cli/placement/picture.js';
import { placementOf } from '../../src/cli/placement/placement.js';
import { placementSvg } from '../../src/cli/placement/svg.js';
import { command, experiment } from '../../src/index.js';
import type { AuthoredExperiment, SiteInput } from '../../src/ir/index.js';
import { compileFor } from '../compiler/support/compile-experiment.js';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

const site: SiteInput = { name: 's', target: 'slurm', node: { cores: 8, gpus: 4 }, maxNodes: 5 };

const coupled = experiment('nek')
  .orchestrator({ apart: true, cpus: 2 })
  .model('sim', command('nek').tasks(4).nodes(2).gpusPerNode(1))
  .colocate({ uds: true, id: 'near' })
  .model('train', command('train').tasks(2).nodes(2).gpusPerNode(1))
  .sharesNodesWith('sim')
  .ensemble('sweep', command('solve').tasks(2))
  .replicas(9)
  .model('plot', command('plot'))
  .after('sweep');

const placed = (built: AuthoredExperiment, where: SiteInput = site) => placementOf(compileFor(where, built).plan);

describe('preview --placement', () => {
  test('counts the GPUs of a store where they are kept from the others', () => {
    const chain = experiment('e')
      .model('m', command('a').gpusPerNode(2))
      .colocate({ uds: true })
      .addFunction('half', (x) => x.mul(0.5), { device: 'GPU', devicesPerNode: 2 });
    const gpusOf = (target: 'lsf' | 'slurm') => {
      const [job] = placed(chain, { name: 's', target });
      return job?.stages[0]?.nodes.map(({ gpusPerNode, running }) => [gpusPerNode, running.map(({ gpus }) => gpus)]);
    };
    expect(gpusOf('lsf')).toEqual([[4, [2, 2]]]);
    expect(gpusOf('slurm')).toEqual([[2, [0, 2]]]);
  });

  test('places members added by hand by their own sizes', () => {
    const chain = experiment('e')
      .ensemble('solvers', command('solver'))
      .addModel('coarse', command('solver').tasks(2))
      .addModel('fine', command('solver').tasks(16));
    const [stage] = placed(chain, { ...site, launcher: 'mpirun' })[0]?.stages ?? [];
    expect(stage?.nodes.map(({ first, nodes, running }) => [first, nodes, running.map(({ cpus }) => cpus)])).toEqual([
      [0, 1, [2]],
      [1, 2, [8]],
    ]);
    expect(stage?.waiting).toEqual([]);
  });

  test('is a table and a picture of who runs on which nodes at a time', () => {
    expect(describePlacement(placed(coupled)).split('\n')).toEqual([
      'Job nek: 5 nodes',
      '',
      'At first:',
      '',
      'NODES  RUNS                MEMBERS  CPUS  GPUS',
      '    0  store orchestrator              2',
      '       (free)                          6     2',
      '  1-2  sweep                     4     8',
      '       (free)                          0     2',
      '  3-4  store sim                       1',
      '       sim                             2     1',
      '       train                           1     1',
      '       (free)                          4     0',
      '',
      'NODES  CPUS        GPUS',
      '    0  [AA......]  [..]',
      '  1-2  [aaaaaaaa]  [..]',
      '  3-4  [Bbbc....]  [bc]',
      'A store orchestrator   a sweep   B store sim   b sim   c train   . free',
      '',
      '1 member of sweep waits for room',
      '',
      'After the end of what comes before (1):',
      '',
      'NODES  RUNS                MEMBERS  CPUS  GPUS',
      '    0  store orchestrator              2',
      '       (free)                          6     2',
      '    1  plot                            1',
      '       (free)                          7     2',
      '    2  (free)                          8     2',
      '  3-4  store sim                       1',
      '       (free)                          7     2',
      '',
      'NODES  CPUS        GPUS',
      '    0  [AA......]  [..]',
      '    1  [d.......]  [..]',
      '    2  [........]  [..]',
      '  3-4  [B.......]  [..]',
      'A store orchestrator   B store sim   d plot   . free',
    ]);
  });

  test('counts nodes over the components of a job', () => {
    const mixed = experiment('e')
      .model('a', command('a').tasks(2).nodes(2))
      .model('b', command('b').gpusPerNode(2))
      .requires({ constraint: 'gpu' });
    expect(placed(mixed)[0]?.stages[0]?.nodes).toMatchObject([
      { first: 0, nodes: 2, component: 0, group: 0, running: [{ name: 'a', cpus: 1 }] },
      { first: 2, nodes: 1, component: 1, group: 1, gpusPerNode: 2, running: [{ name: 'b', gpus: 2 }] },
    ]);
  });

  test('is that of one element of a job array', () => {
    const array = experiment('e').ensemble('m', command('m').tasks(2)).replicas(100).batch({ mode: 'array' });
    expect(placed(array)).toMatchObject([
      { name: 'm', nodes: 1, stages: [{ nodes: [{ running: [{ name: 'm', members: 1, cpus: 2 }] }], waiting: [] }] },
    ]);
  });

  test('gives each launch of a launcher that shares none its own nodes', () => {
    const cray: SiteInput = { name: 'xc', target: 'pbs', launcher: 'aprun', node: { cores: 8 } };
    const two = experiment('e').model('a', command('a')).model('b', command('b').tasks(2).nodes(2));
    const ranges = placed(two, cray)[0]?.stages[0]?.nodes;
    expect(ranges?.map(({ first, nodes, running }) => [first, nodes, running.map(({ name }) => name)])).toEqual([
      [0, 1, ['a']],
      [1, 2, ['b']],
    ]);
  });

  test('draws many CPUs to scale', () => {
    const wide: SiteInput = { ...site, node: { cores: 128 } };
    const half = describePlacement(
      placed(experiment('e').model('a', command('a').tasks(64)).batch({ exclusive: true }), wide),
    );
    expect(half).toContain(`\n    0  [${'a'.repeat(24)}${'.'.repeat(24)}]\n`);
  });

  test('ends for a million members', () => {
    const million = experiment('e').ensemble('m', command('m')).replicas(1_000_000);
    const [all] = placed(million, { name: 's', target: 'slurm', node: { cores: 8 } });
    expect(all?.stages[0]).toMatchObject({ nodes: [{ nodes: 125_000, running: [{ members: 8 }] }], waiting: [] });
    const [job] = placed(million, { ...site, maxNodes: 1000 });
    expect(job?.stages[0]?.nodes).toMatchObject([{ first: 0, nodes: 1000, running: [{ members: 8, cpus: 8 }] }]);
    expect(job?.stages[0]?.waiting).toEqual([{ name: 'm', members: 1_000_000 - 8000 }]);
  });

  test('is an SVG picture, with the names of users as text', () => {
    const picture = placementSvg(placed(coupled));
    expect(picture).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+"/);
    expect(picture).toContain('<title>store orchestrator: 2 CPUs</title>');
    expect(picture.match(/<rect/g)?.length).toBe(picture.match(/<\/rect>|"\/>/g)?.length);
  });

  test('is JSON as well, and a file', async () => {
    const workspace = new Workspace();
    workspace.workflow("experiment('study').model('a', command('true')).batch({ walltime: '00:01:00' })");
    const run = (...words: string[]) =>
      simwright({ cwd: workspace.cwd }, 'preview', 'workflow.ts', '--site', 'slurm', ...words);
    const { stdout } = await run('--placement', '--json', '--svg', 'nodes.svg');
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      jobs: [{ name: 'a', nodes: 1, stages: [{ nodes: [{ first: 0, nodes: 1, running: [{ name: 'a', cpus: 1 }] }] }] }],
    });
    expect(readFileSync(join(workspace.cwd, 'nodes.svg'), 'utf8')).toContain('Job a');
    expect(await run('--placement', '--svg', 'no/where.svg')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('error[OUT1002]: no/where.svg cannot be written'),
    });
    expect(await run('--svg', 'nodes.svg')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--svg is the picture of --placement'),
    });
    expect(readdirSync(workspace.cwd).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
