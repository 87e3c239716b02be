import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { command, experiment } from '../../../../src/index.js';
import { readJobEnvironment } from '../../../../src/runtime/job/job-environment.js';
import { jobFolder } from '../../../../src/runtime/job/job-folder.js';
import { launchHosts } from '../../../../src/runtime/launch/pool/launch-hosts.js';
import { StopRequest } from '../../../../src/runtime/launch/stop-request.js';
import { compileFor, entityOf } from '../../../compiler/support/compile-experiment.js';

test('members added by hand take as many hosts as each needs itself', async () => {
  const chain = experiment('e')
    .ensemble('solvers', command('solver'))
    .addModel('coarse', command('solver').tasks(2))
    .addModel('fine', command('solver').tasks(8));
  const site = { name: 's', target: 'pbs' as const, launcher: 'mpirun' as const, node: { cores: 4 } };
  const { plan } = compileFor(site, chain);
  const dir = mkdtempSync(join(tmpdir(), 'simwright-'));
  const env = { SIMWRIGHT_JOB: 'e', SIMWRIGHT_HOSTS: 'n1 n2 n3', SIMWRIGHT_CPUS_PER_NODE: '4' };
  const job = readJobEnvironment(env, dir);
  const entity = entityOf(plan, 'solvers');
  const problems: unknown[] = [];
  const hostsOf = async (member: number) => {
    const line = entity.launch.lines[member]?.words ?? [];
    const report = (problem: unknown) => problems.push(problem);
    const launch = launchHosts({ job, plan, entity, line, member, env, stop: new StopRequest(), report });
    const taken = await launch.take(() => {});
    launch.close();
    return taken?.names;
  };
  try {
    expect([await hostsOf(0), await hostsOf(1)]).toEqual([['n1'], ['n1', 'n2']]);
    expect(problems).toEqual([]);
  } finally {
    rmSync(jobFolder(job), { recursive: true, force: true });
    rmSync(dir, { recursive: true });
  }
});
