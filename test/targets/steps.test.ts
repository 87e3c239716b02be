import { describe, expect, test } from 'vitest';
import { jobIdsOf, readRunningSteps, readStepHosts } from '../../src/targets/slurm/steps.js';

/** As scontrol of Slurm 22.05 prints a step. */
const record = (
  id: string,
  state: string,
  srun: string,
) => `StepId=${id} UserId=0 StartTime=2026-11-28T02:38:54 TimeLimit=UNLIMITED
   State=${state} Partition=debug NodeList=node1
   Nodes=1 CPUs=1 Tasks=1 Name=m_0 Network=(null)
   TRES=cpu=1,mem=500M,node=1
   ResvPorts=(null)
   CPUFreqReq=Default Dist=Block
   SrunHost:Pid=${srun}
`;

describe('steps that run', () => {
  test('are known by their srun; the batch script and what waits for its nodes are none', () => {
    const text = [
      record('1.batch', 'RUNNING', '(null):0'),
      record('1.0', 'RUNNING', 'node1.example.org:38'),
      record('8_3.2', 'RUNNING', 'node2:39'),
      record('1.TDB', 'PENDING', 'node1:40'),
    ].join('\n');
    expect(readRunningSteps(text)).toEqual([
      { id: '1.0', host: 'node1', pid: 38, nodes: 'node1' },
      { id: '8_3.2', host: 'node2', pid: 39, nodes: 'node1' },
    ]);
    expect(readRunningSteps('slurm_load_jobs error: Invalid job id specified\n')).toEqual([]);
  });
  test('of several programs have one number', () => {
    const text = record('3.0+0', 'RUNNING', 'node1:186') + record('3.0+1', 'RUNNING', 'node1:186');
    expect(readRunningSteps(text).map(({ id }) => id)).toEqual(['3.0', '3.0']);
  });
});

test('a heterogeneous job is asked for by all of its ids', () => {
  expect(jobIdsOf({ SLURM_JOB_ID: '6', SLURM_JOB_ID_HET_GROUP_0: '6', SLURM_JOB_ID_HET_GROUP_1: '7' })).toEqual([
    '6',
    '7',
  ]);
  expect(jobIdsOf({ SLURM_JOB_ID: '6' })).toEqual(['6']);
  expect(jobIdsOf({})).toEqual([]);
});

test('hosts of steps by name: the last counts, names may hold any sign', () => {
  const text =
    '3|node[1-2]|e\n3.batch|node1|batch\n3.0|node1|sweep_0\n3.1|node2|a|b\n3.2|node2|sweep_0\n3.3+1|node1|no\n3.4||gone\n';
  expect([...readStepHosts(text)]).toEqual([
    ['sweep_0', 'node2'],
    ['a|b', 'node2'],
  ]);
});
