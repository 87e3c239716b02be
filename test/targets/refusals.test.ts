import { describe, expect, it } from 'vitest';
import type { LauncherName, TargetName } from '../../src/ir/index.js';
import { jobRefusals } from '../../src/targets/refusals.js';
import { targets } from '../../src/targets/registry.js';
import { allocation, job, site } from './support.js';

const said = (name: TargetName, of: Parameters<typeof job>[0], launcher?: LauncherName) => {
  const target = targets[name];
  const { directives: _, ...asked } = job({
    ...of,
    allocation: { walltimeSeconds: 60, ...allocation(of?.allocation) },
  });
  const at = site({ target: name });
  const by = launcher ?? target.defaultLauncher;
  const directives = target.directives(asked, by, at).map((list) => [...list]);
  return jobRefusals({ ...asked, directives }, target, by, at).map(
    ({ notSupported, hint }) => `${notSupported}; ${hint}`,
  );
};

describe('what a scheduler has no words for', () => {
  it('is nothing for a plain job', () => {
    for (const name of Object.keys(targets) as TargetName[]) expect(said(name, {})).toEqual([]);
  });
  it('a heterogeneous job', () => {
    const het = { components: [allocation()] };
    expect(said('cobalt', het)).toEqual([expect.stringContaining('jobs of their own with .batch()')]);
    expect(said('lsf', het)).toEqual([expect.stringContaining('all alike')]);
    expect(said('lsf', het, 'mpirun')).toEqual([]);
    expect(said('slurm', { ...het, array: { size: 3, perElement: 1 } })).toEqual([
      expect.stringContaining("no arrays of jobs whose nodes differ; use .batch({ mode: 'separate' })"),
    ]);
    expect(said('pbs', { ...het, array: { size: 3, perElement: 1 } })).toEqual([]);
  });
  it('arrays, GPUs, hosts to leave out and events', () => {
    expect(said('cobalt', { array: { size: 3, perElement: 1 } })).toEqual([expect.stringContaining('no job arrays')]);
    expect(said('cobalt', { allocation: allocation({ gpusPerNode: 1 }) })).toEqual([
      expect.stringContaining('no words for GPUs'),
    ]);
    expect(said('pbs', { allocation: allocation({ excludeHosts: ['n1'] }) })).toEqual([
      expect.stringContaining('.hosts()'),
    ]);
    expect(said('cobalt', { after: [{ job: 'first', event: 'ended' }] })).toEqual([
      expect.stringContaining("when 'first' has ended; a job can wait for another to be: completed"),
    ]);
  });
});
