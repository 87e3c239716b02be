import { describe, expect, test } from 'vitest';
import type { JobPlacement } from '../../src/cli/placement/placement.js';
import { simwright } from '../helpers/simwright.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { useCluster, whyNoSlurm } from './cluster.js';
import { compileForSlurm, log, sharedWorkspace } from './workspaces.js';

const why = whyNoSlurm();

/** Says on which CPUs of which node the rank may run, and goes on until the file `go` is there if it is to: NAME WAITS. */
const rank = (folder: string) => `set -e
mkdir -p ${folder}/ranks
read -r _ cpus < <(grep Cpus_allowed_list /proc/self/status)
echo "$1 $SLURMD_NODENAME $cpus" >${folder}/ranks/.$1.$SLURM_PROCID
mv ${folder}/ranks/.$1.$SLURM_PROCID ${folder}/ranks/$1.$SLURM_PROCID
until [ "$2" = no ] || [ -e ${folder}/go ]; do sleep 0.1; done
`;

/** Numbers of a list such as `0-1,3`. */
function numbersOf(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

describe.skipIf(why !== '')(`CPUs of ranks on a Slurm that binds them${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  // As many CPUs as the machine has at least: binding is for real.
  const cluster = useCluster('--nodes', '2', '--cpus', '2', '--bind', '1');

  test('are those that preview shows, and nobody else has them', async (context) => {
    const workspace = sharedWorkspace(context);
    workspace.write('rank.sh', rank(workspace.path('')));
    const pair = (name: string) => `command('bash', 'rank.sh', '${name}').tasks(2).nodes(2)`;
    workspace.workflow(`experiment('e').batch({ walltime: '00:05:00', nodes: 2 })
  .model('simulation', ${pair('simulation')}).attach({ copy: 'rank.sh' })
  .model('trainer', ${pair('trainer')}).attach({ copy: 'rank.sh' }).sharesNodesWith('simulation')
  .model('threads', command('bash', 'rank.sh', 'threads', 'no').tasks(2).nodes(2).cpusPerTask(2)).attach({ copy: 'rank.sh' })
    .sharesNodesWith('simulation').after('simulation').after('trainer')
  .model('bound', command('bash', 'rank.sh', 'bound', 'no').tasks(2).nodes(1).cpuBind([1, 0])).attach({ copy: 'rank.sh' })
    .sharesNodesWith('simulation').after('threads')`);
    await compileForSlurm(workspace);
    const { e: id = '' } = await cluster().submit(workspace.path('out'));
    const ranks = () =>
      (workspace.has('ranks') ? workspace.files('ranks') : [])
        .filter((file) => !file.startsWith('.'))
        .sort()
        .map((file) => {
          const [name = '', node = '', list = ''] = workspace.read(`ranks/${file}`).trim().split(' ');
          return { name, node, cpus: numbersOf(list) };
        });
    await waitUntil('both run', () => ranks().length === 4 || JSON.stringify(ranks()), 60);
    const taken = ranks().flatMap(({ node, cpus }) => cpus.map((cpu) => `${node} ${cpu}`));
    expect(taken.sort()).toEqual(['node1 0', 'node1 1', 'node2 0', 'node2 1']);
    workspace.write('go', '');
    const [end] = await cluster().ended(id);
    expect(end?.state, log(workspace, `e-${id}.out`)).toBe('COMPLETED');

    const { stdout } = await simwright(workspace, 'preview', 'workflow.ts', '--site', 'slurm', '--placement', '--json');
    const { jobs } = JSON.parse(stdout) as { jobs: readonly JobPlacement[] };
    const foreseen: Record<string, Set<string>> = {};
    for (const { nodes } of jobs[0]?.stages ?? []) {
      for (const { first, nodes: count, running } of nodes) {
        for (const { name, cpus } of running) {
          foreseen[name] ??= new Set();
          for (let node = first; node < first + count; node++) foreseen[name].add(`node${node + 1} ${cpus}`);
        }
      }
    }
    const seen: Record<string, Set<string>> = {};
    for (const { name, node } of ranks()) {
      const own = ranks().filter((one) => one.name === name && one.node === node);
      seen[name] = (seen[name] ?? new Set()).add(`${node} ${new Set(own.flatMap(({ cpus }) => cpus)).size}`);
    }
    expect(seen).toEqual(foreseen);
    expect(ranks().flatMap(({ name, cpus }) => (name === 'bound' ? [cpus] : []))).toEqual([[1], [0]]);
  });
});
