import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command, experiment, type WorkflowError } from 'simwright';
import { compileForTest } from 'simwright/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSite } from '../../src/compiler/index.js';
import { siteFields } from '../../src/ir/index.js';
import { builtInSites } from '../../src/sites/built-in.js';
import { targets } from '../../src/targets/registry.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const small = experiment('small').model('hello', command('/bin/hostname').tasks(8).nodes(2).gpusPerNode(2));

/** Lines of the small workflow's one job script. */
async function scriptFor(site: string): Promise<string[]> {
  const { files } = await compileForTest(small, site);
  const path = [...files.keys()].find((name) => name.startsWith('jobs/')) ?? '';
  return (files.get(path) ?? '').split('\n');
}

describe('built-in sites', () => {
  it('are one for every target', () => {
    expect(builtInSites.map(({ name }) => name).sort()).toEqual(Object.keys(targets).sort());
  });
});

describe('example sites', () => {
  const file = (name: string) => join(root, 'examples/sites', name);
  it('are all here', () => {
    expect(readdirSync(join(root, 'examples/sites')).sort()).toEqual(['perlmutter.ts', 'polaris.ts', 'summit.ts']);
  });
  it('perlmutter asks for GPU nodes by constraint', async () => {
    const lines = await scriptFor(file('perlmutter.ts'));
    for (const line of ['--constraint=gpu', '--qos=regular', '--gpus-per-node=2', '--nodes=2', '--time=00:30:00']) {
      expect(lines).toContain(`#SBATCH ${line}`);
    }
    // Slurm counts threads: a core for each of four tasks a node.
    expect(lines).toContain('#SBATCH --ntasks-per-node=8');
    expect(lines.join('\n')).toMatch(/srun -J \S+ --nodes=2 --ntasks=8 --ntasks-per-node=4 --cpus-per-task=2 /);
    expect(lines.filter((line) => /--partition/.test(line))).toEqual([]);
  });
  it('polaris selects nodes of the system, scatters them, and launches by PALS', async () => {
    const lines = await scriptFor(file('polaris.ts'));
    for (const line of [
      '-q debug-scaling',
      '-l place=scatter:excl',
      '-l walltime=00:30:00',
      '-l filesystems=home:eagle',
    ]) {
      expect(lines).toContain(`#PBS ${line}`);
    }
    expect(lines.find((line) => line.startsWith('#PBS -l select='))).toMatch(
      /^#PBS -l select=2:ncpus=\d+:mpiprocs=\d+:system=polaris$/,
    );
    expect(lines.join('\n')).toMatch(/mpiexec -n 8 --ppn 4 --depth 1 --hosts '\{hosts\}' --cpu-bind depth/);
  });
  it('polaris takes small jobs as they are, and says where those go that are too long or too large', async () => {
    const jobOf = (nodes: number, walltime: string, queue = '') =>
      experiment('small')
        .batch({ nodes, walltime, ...(queue === '' ? {} : { queue }) })
        .model('hello', command('/bin/hostname').tasks(nodes).nodes(nodes));
    const compiled = (...job: Parameters<typeof jobOf>) => compileForTest(jobOf(...job), file('polaris.ts'));
    await compiled(1, '00:30:00');
    await compiled(10, '03:00:00', 'prod');
    const problem = (...job: Parameters<typeof jobOf>) =>
      compiled(...job).then(
        () => 'it was taken',
        (error: WorkflowError) => `${error.message} | ${error.problems[0]?.hint}`,
      );
    expect(await problem(2, '00:30:00', 'prod')).toBe(
      "job 'small' asks for 2 nodes for 00:30:00, and queue 'prod' takes 10 to 496 nodes | these take it: debug (1.00 node-hours charged), debug-scaling (1.00 node-hours charged), preemptable (1.00 node-hours charged), capacity (1.00 node-hours charged)",
    );
    expect(await problem(100, '06:00:00')).toContain('these take it: prod (600.00 node-hours charged)');
  });
  it('summit asks for nodes and launches resource sets', async () => {
    const lines = await scriptFor(file('summit.ts'));
    for (const line of ['-nnodes 2', '-W 00:30', '-alloc_flags "gpumps smt1"'])
      expect(lines).toContain(`#BSUB ${line}`);
    expect(lines.join('\n')).toMatch(/jsrun --nrs=4 --tasks_per_rs=2 --cpu_per_rs=2 --gpu_per_rs=1 --rs_per_host=2/);
  });
});

describe('sites in the documentation', () => {
  const text = readFileSync(join(root, 'docs/sites.md'), 'utf8');
  const blocks = [...text.matchAll(/^```(ts|json)\n([\s\S]*?)^```$/gm)].map((match) => ({
    line: text.slice(0, match.index).split('\n').length + 1,
    kind: match[1] ?? '',
    source: match[2] ?? '',
  }));
  let scratch: string;
  beforeAll(() => {
    // Inside the project, so that 'simwright' resolves to it.
    mkdirSync(join(root, '.cache'), { recursive: true });
    scratch = mkdtempSync(join(root, '.cache/sites-'));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  it('are there', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(6);
  });
  it.each(blocks)('line $line ($kind) is a site, and a workflow compiles for it', async ({ line, kind, source }) => {
    const file = join(scratch, `site-${line}.${kind}`);
    writeFileSync(file, source);
    const site = await loadSite(file, builtInSites);
    expect(site.name).not.toBe('');
    expect((await scriptFor(file)).length).toBeGreaterThan(20);
  });
  it('name every field of a site', () => {
    for (const field of siteFields) {
      expect(text).toContain(`\`${field}`);
    }
  });
});
