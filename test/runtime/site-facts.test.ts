import { describe, expect, test } from 'vitest';
import type { Job, Plan } from '../../src/ir/index.js';
import { allocationOf, checkAllocation, visibleGpus } from '../../src/runtime/assert/allocation.js';
import { gpuVariables } from '../../src/runtime/launch/pool/gpus.js';
import { jobNodes } from '../../src/runtime/launch/pool/job-nodes.js';
import { makePlan } from './support/make-plan.js';

describe('CPUs that are hardware threads', () => {
  const allocation = { nodes: 2, cpusPerNode: 8, threadsPerCpu: 2, exclusive: false };
  const plan: Plan = { ...makePlan([{ name: 'a' }], [], { name: 'j', allocation }), target: 'slurm' };
  const planned = plan.jobs[0] as Job;
  const env = { SLURM_JOB_CPUS_PER_NODE: '16,12' };
  // The script has halved the number of its own host.
  const job = { hosts: ['n1', 'n2'], cpusPerNode: 8 };

  test('are half as many cores for members, on each host', () => {
    expect(jobNodes(job, plan, planned, env).map(({ name, cpus }) => [name, cpus])).toEqual([
      ['n1', 8],
      ['n2', 6],
    ]);
  });

  test('are too few where their cores are', () => {
    const got = allocationOf(job, plan, env);
    expect(checkAllocation(plan, planned, got, 'srun').map(({ message }) => message)).toEqual([
      "job 'j' has 6 CPUs a node, and its plan needs 8",
    ]);
    const enough = allocationOf(job, plan, { SLURM_JOB_CPUS_PER_NODE: '16(x2)' });
    expect(checkAllocation(plan, planned, enough, 'srun')).toEqual([]);
  });
});

describe("the maker of a site's GPUs", () => {
  test('decides whose variable says which a job has', () => {
    const both = { CUDA_VISIBLE_DEVICES: '0,1,2,3', ROCR_VISIBLE_DEVICES: '0,1', ZE_AFFINITY_MASK: '0.0,0.1,1.0' };
    expect(visibleGpus('pbs', both)).toBe(4);
    expect(visibleGpus('pbs', both, 'amd')).toBe(2);
    expect(visibleGpus('pbs', both, 'intel')).toBe(3);
    expect(visibleGpus('pbs', { CUDA_VISIBLE_DEVICES: '0' }, 'amd')).toBe(1);
  });

  test.each([
    ['nvidia', 'CUDA_VISIBLE_DEVICES'],
    ['amd', 'ROCR_VISIBLE_DEVICES'],
    ['intel', 'ZE_AFFINITY_MASK'],
  ] as const)('%s: a member is shown its own by %s, unless the job says it otherwise', (maker, variable) => {
    const entity = { env: {} };
    expect(gpuVariables(entity, {}, [1, 2], { isHere: false, maker })).toEqual({ [variable]: '1,2' });
    const env = { CUDA_VISIBLE_DEVICES: '4,5,6' };
    expect(gpuVariables(entity, env, [1], { isHere: true, maker })).toEqual({ CUDA_VISIBLE_DEVICES: '5' });
  });
});
