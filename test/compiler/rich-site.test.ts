import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compile, loadSite, loadWorkflow } from '../../src/compiler/index.js';
import { renderProblems, WorkflowError } from '../../src/diagnostics/index.js';
import type { SiteInput, TargetName } from '../../src/ir/index.js';
import { chosenNames } from '../targets/support.js';
import { runtimeLines } from './support/compile-experiment.js';
import { root, targetNames, textsOf } from './support/compile-fixture.js';
import { onPath } from './support/on-path.js';

/** A site that requires everything that a site can. */
function richSite(target: TargetName): SiteInput {
  return {
    name: 'rich',
    target,
    ...chosenNames[target],
    node: { cores: 64, threadsPerCore: 2, schedulerCounts: 'threads', gpus: 4, gpuMaker: 'nvidia', memoryMiB: 262_144 },
    launcherArgs: {
      srun: { network: 'no_vni' },
      mpirun: { 'report-bindings': true },
      mpiexec: { bootstrap: 'ssh' },
      aprun: { j: 1 },
      jsrun: { smpiargs: '-gpu' },
    },
    gpuLauncherArgs: { srun: { 'gpu-bind': 'closest' }, jsrun: { latency_priority: 'gpu-cpu' } },
    wrapper: { words: ['set_affinity_gpu.sh', '--order', 'a b'] },
    env: { MPICH_GPU_SUPPORT_ENABLED: '1', SITE_TEXT: "a b;$(c) 'd'" },
    modules: ['cray-mpich'],
    preamble: ['ulimit -s unlimited'],
    queues: { batch: { default: true, maxNodes: 128, maxWalltime: '24:00:00', chargeFactor: 2 } },
    defaults: { account: 'abc123', walltime: '00:30:00' },
  };
}

const fixtures = ['mpi-with-gpus', 'colocated-uds', 'container'] as const;

let scratch: string;
const scripts: string[] = [];
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'simwright-rich-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function scriptFor(fixture: string, target: TargetName): Promise<string> {
  const workflow = await loadWorkflow(join(root, 'fixtures/workflows', fixture, 'workflow.ts'));
  try {
    const { plan, files } = compile({ ...workflow, version: 'x.y.z' }, await loadSite(richSite(target), []));
    const text = textsOf({ files }).find(([path]) => path === plan.jobs[0]?.script)?.[1] ?? '';
    const file = join(scratch, `${fixture}-${target}.sh`);
    mkdirSync(scratch, { recursive: true });
    writeFileSync(file, text);
    scripts.push(file);
    return text;
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    return `${renderProblems(error.problems, { cwd: root, colour: false })}\n`;
  }
}

describe.each(fixtures)('%s', (fixture) => {
  test.each(targetNames)('%s: the script is as it has been read', async (target) => {
    const script = await scriptFor(fixture, target);
    await expect(script).toMatchFileSnapshot(join(root, 'test/compiler/rich-site', fixture, `${target}.txt`));
  });
});

test.skipIf(!onPath('shellcheck'))(
  'shellcheck accepts them all (skipped where shellcheck is missing)',
  () => {
    expect(scripts.length).toBeGreaterThan(12);
    expect(execaSync('shellcheck', ['--norc', '--format=gcc', ...scripts], { reject: false, all: true }).all).toBe('');
  },
  120_000,
);

/** The launch of the application, as one line. */
async function launchOf(fixture: string, target: TargetName): Promise<string> {
  return runtimeLines(await scriptFor(fixture, target)).find((line) => line.startsWith('runtime launch')) ?? '';
}

test('the wrapper stands between launcher and program, for programs with GPUs and behind a launcher only', async () => {
  expect(await launchOf('mpi-with-gpus', 'slurm')).toContain(
    "--mem=65536M --exact --network=no_vni --gpu-bind=closest set_affinity_gpu.sh --order 'a b' lattice --steps",
  );
  expect(await launchOf('mpi-with-gpus', 'pbs')).toMatch(/-bootstrap ssh set_affinity_gpu\.sh --order 'a b' lattice /);
  expect(await launchOf('container', 'slurm')).not.toContain('set_affinity_gpu');
  const always = { ...richSite('slurm'), wrapper: { words: ['pin.sh'] as [string], when: 'always' as const } };
  const workflow = await loadWorkflow(join(root, 'fixtures/workflows/container/workflow.ts'));
  const { plan } = compile(workflow, await loadSite(always, []));
  const words = plan.entities[0]?.launch.lines[0]?.words ?? [];
  expect(words.slice(words.indexOf('pin.sh'), words.indexOf('pin.sh') + 3)).toEqual(['pin.sh', 'apptainer', 'exec']);
  // A member does the same at another site.
  expect(plan.entities[0]?.commands[0]?.[0]?.words[0]).toBe('apptainer');
});

test('where the scheduler counts threads, it is asked for those, and the runtime gets cores', async () => {
  const slurm = await scriptFor('mpi-with-gpus', 'slurm');
  // Four tasks a node of two cores.
  expect(slurm).toContain('#SBATCH --ntasks-per-node=16\n');
  expect(slurm).toMatch(/--ntasks-per-node=4 --cpus-per-task=4 /);
  expect(slurm).toContain('SIMWRIGHT_CPUS_PER_NODE=$((SLURM_CPUS_ON_NODE / 2))\n');
  const pbs = await scriptFor('mpi-with-gpus', 'pbs');
  expect(pbs).toContain('select=2:ncpus=16:mpiprocs=16:ngpus=4');
  expect(pbs).toContain('SIMWRIGHT_CPUS_PER_NODE=$((NCPUS / 2))\n');
  // Cobalt says nothing of CPUs.
  expect(await scriptFor('container', 'cobalt')).toContain("SIMWRIGHT_CPUS_PER_NODE=''\n");
  expect(await scriptFor('mpi-with-gpus', 'sge')).toMatch(/#\$ -pe \S+ 32\n/);
});

test("the site's variables reach every task, and stores, where launchers pass on what they are told only", async () => {
  const lines = runtimeLines(await scriptFor('colocated-uds', 'sge'));
  expect(lines.length).toBe(2);
  for (const line of lines) expect(line).toContain('-x MPICH_GPU_SUPPORT_ENABLED -x SITE_TEXT');
});
