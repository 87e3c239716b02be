import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, type TestContext, test } from 'vitest';
import type { JobPlacement } from '../../src/cli/placement/placement.js';
import { simwright } from '../helpers/simwright.js';
import type { Workspace } from '../helpers/workspace.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { useCluster, whyNoSlurm } from './cluster.js';
import { compileForSlurm, log, nothingLeft, sharedWorkspace } from './workspaces.js';

const why = whyNoSlurm();

/** Says where the rank runs, and goes on until the file is there: NAME FILE. */
const rank = (workspace: Workspace) => `set -e
ranks=${workspace.path('ranks')}
mkdir -p "$ranks"
file=$SIMWRIGHT_NAME.$SLURM_PROCID.\${SLURM_RESTART_COUNT:-0}
echo "$1 $SLURMD_NODENAME \${CUDA_VISIBLE_DEVICES:-none} \${SIMWRIGHT_HOSTS// /,} $3 $4" >"$ranks/.$file"
mv "$ranks/.$file" "$ranks/$file"
exec 2>&1
until [ -e ${workspace.path('')}/$2 ]; do sleep 0.1; done
`;

/** Asks the store that is colocated with the simulation: the simulation's ranks put their node's name there, the trainer's wait for it. */
const exchange = `exec 3<>/dev/tcp/\${SSDB_local/:/\\/}
ask() {
  printf '*%d\\r\\n' $# >&3
  for word; do printf '$%d\\r\\n%s\\r\\n' \${#word} "$word" >&3; done
  read -r -t 10 answer <&3
  [[ $answer != '$'[0-9]* ]] || read -r -t 10 answer <&3
}
case $1 in
  simulation) ask SET node "$SLURMD_NODENAME" ;;
  trainer) until ask GET node && [ "$answer" = "$SLURMD_NODENAME"$'\\r' ]; do sleep 0.1; done ;;
esac
`;

interface Ran {
  readonly name: string;
  readonly node: string;
  readonly gpus: string;
  readonly hosts: string[];
  readonly first: string;
  readonly all: string;
}

/** Ranks that have begun, of one start of their job. */
function ranksOf(workspace: Workspace, start = 0): Ran[] {
  if (!workspace.has('ranks')) return [];
  return readdirSync(workspace.path('ranks'))
    .filter((file) => !file.startsWith('.') && file.endsWith(`.${start}`))
    .sort()
    .map((file) => readFileSync(workspace.path('ranks', file), 'utf8').trim().split(' '))
    .map(([name = '', node = '', gpus = '', hosts = '', first = '', all = '']) => ({
      ...{ name, node, gpus, first, all },
      hosts: hosts.split(','),
    }));
}

/** What `preview` shows for a job: entities and stores, each with its nodes among those that the job got, and its GPUs on each. */
async function foreseen(workspace: Workspace, job: string, hosts: readonly string[]): Promise<unknown> {
  const words = ['preview', 'workflow.ts', '--site', 'slurm', '--placement', '--json'];
  const end = await simwright(workspace, ...words);
  expect(end.exitCode, end.stderr).toBe(0);
  const { jobs } = JSON.parse(end.stdout) as { jobs: readonly JobPlacement[] };
  const found: Record<string, string[]> = {};
  for (const { first, nodes, running } of jobs.find(({ name }) => name === job)?.stages[0]?.nodes ?? []) {
    for (const { name, kind, gpus } of running) {
      const key = kind === 'store' ? `store ${name}` : name;
      found[key] = [...(found[key] ?? []), ...hosts.slice(first, first + nodes).map((host) => `${host} ${gpus}`)];
    }
  }
  return found;
}

/** Members of each entity on each node of its job, and those that wait, as `preview` shows them. */
async function membersForeseen(workspace: Workspace): Promise<unknown> {
  const end = await simwright(workspace, 'preview', 'workflow.ts', '--site', 'slurm', '--placement', '--json');
  const { jobs } = JSON.parse(end.stdout) as { jobs: readonly JobPlacement[] };
  const found: Record<string, number[]> = {};
  for (const { nodes, running } of jobs.flatMap(({ stages }) => stages.flatMap((stage) => stage.nodes))) {
    for (const { name, members } of running.filter(({ kind }) => kind !== 'store')) {
      found[name] = [...(found[name] ?? []), ...Array.from({ length: nodes }, () => members)];
    }
  }
  const waiting = jobs.flatMap(({ stages }) => stages.flatMap((stage) => stage.waiting));
  return { ...found, waiting: Object.fromEntries(waiting.map(({ name, members }) => [name, members])) };
}

/** Nodes of ranks, each once. */
function hostsOf(ranks: readonly Ran[]): string[] {
  return [...new Set(ranks.map(({ node }) => node))].sort();
}

/** The same as the ranks have it. */
function seen(ranks: readonly Ran[]): Record<string, string[]> {
  const found: Record<string, Set<string>> = {};
  for (const { name, node, gpus } of ranks) {
    const count = gpus === 'none' ? 0 : gpus.split(',').length;
    found[name] = (found[name] ?? new Set()).add(`${node} ${count}`);
  }
  return Object.fromEntries(Object.entries(found).map(([name, nodes]) => [name, [...nodes].sort()]));
}

describe.skipIf(why !== '')(`placement on a real Slurm with GPUs${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster('--gpus', '2');

  async function compiled(chain: string, context: TestContext): Promise<Workspace> {
    const workspace = sharedWorkspace(context);
    workspace.write('rank.sh', rank(workspace));
    workspace.write('exchange.sh', `${exchange}. ./rank.sh\n`);
    workspace.workflow(chain);
    await compileForSlurm(workspace);
    return workspace;
  }

  // A job of all nodes that is queued between jobs of the other test, which wait for each other, would wait for ever, and so would they.
  let tellQueued = () => {};
  const othersQueued = new Promise<void>((resolve) => {
    tellQueued = resolve;
  });

  /** Waits until so many ranks run at the same time. */
  const running = (workspace: Workspace, count: number, start = 0) =>
    waitUntil(
      `${count} ranks run`,
      () => ranksOf(workspace, start).length === count || JSON.stringify(ranksOf(workspace, start)),
      60,
    );

  const ended = async (workspace: Workspace, job: string, id: string) => {
    const [end] = await cluster().ended(id);
    return `${end?.state} ${end?.exitCode}\n${end?.state === 'COMPLETED' ? '' : log(workspace, `${job}-${id}.out`)}`;
  };

  test.concurrent('a job of four nodes: a store apart, a pool with two entities on GPUs, a trainer on the nodes of its simulation; requeued', async (context) => {
    const files = `.attach({ copy: ['rank.sh', 'exchange.sh'] })`;
    const pair = (name: string) => `command('bash', 'exchange.sh', '${name}', 'go').tasks(2).nodes(2).gpusPerNode(1)`;
    const workspace = await compiled(
      `experiment('e').batch({ walltime: '00:05:00' })
  .orchestrator({ apart: true })
  .model('simulation', ${pair('simulation')})${files}.colocate({ tcp: true, id: 'local' })
  .model('trainer', ${pair('trainer')})${files}.sharesNodesWith('simulation')
  .model('a', command('bash', 'rank.sh', 'a', 'go', '{first_host}', '{hosts}').gpusPerTask(1))${files}
  .model('b', command('bash', 'rank.sh', 'b', 'go', '{first_host}', '{hosts}').gpusPerTask(1))${files}`,
      context,
    );
    await othersQueued;
    const { e: id = '' } = await cluster().submit(workspace.path('out'));
    await running(workspace, 6);
    const ranks = ranksOf(workspace);
    const nodesOf = (name: string) => ranks.filter((one) => one.name === name).map(({ node }) => node);
    const hosts = ranks[0]?.hosts ?? [];
    expect(hosts).toHaveLength(4);
    const steps = await cluster().ask('squeue', '-h', '-s', '-j', id, '-o', '%j|%N|%i');
    const [, apart = 'none'] = /^orchestrator\|(\S+)\|/m.exec(steps) ?? [];
    expect(await foreseen(workspace, 'e', hosts)).toEqual({
      ...seen(ranks),
      'store orchestrator': [`${apart} 0`],
      'store simulation': nodesOf('simulation').map((node) => `${node} 0`),
    });
    // GPUs are nobody else's.
    const taken = ranks.map(({ node, gpus }) => `${node} ${gpus}`);
    expect(new Set(taken).size, taken.join()).toBe(6);
    expect(taken.join()).not.toContain('none');
    const [pool = ''] = nodesOf('a');
    expect(ranks.find(({ name }) => name === 'a')).toMatchObject({ first: pool, all: pool });

    await cluster().ask('scontrol', 'requeue', id);
    await waitUntil(
      'all run again',
      async () => {
        // Slurm lets a job that was requeued wait for two minutes.
        await cluster()
          .ask('scontrol', 'update', `JobId=${id}`, 'StartTime=now')
          .catch(() => undefined);
        return ranksOf(workspace, 1).length === 6;
      },
      60,
    );
    workspace.write('go', '');
    expect(await ended(workspace, 'e', id)).toBe('COMPLETED 0:0\n');
    await nothingLeft(workspace.path('out'));
  }, 240_000);

  // The end of a walltime takes a minute of Slurm's: meanwhile the other test runs.
  test.concurrent('nodes that differ, hosts by name, a directive of one letter, the end of the walltime', async (context) => {
    const at = (name: string, more = '') =>
      `.model('${name}', command('bash', 'rank.sh', '${name}', 'go')${more}).attach({ copy: 'rank.sh' })`;
    const workspace = await compiled(
      `experiment('h').batch({ walltime: '00:05:00' })
  ${at('plain', '.tasks(2)')}
  ${at('both', '.gpusPerNode(2)')}.requires({ gpusPerNode: 2 })
  ${at('named', `.hosts(['node4', 'node2']).tasks(2)`)}
    .batch({ walltime: '00:05:00', directives: { set: { '-C': 'emulated' } } })
  .model('late', command('bash', 'rank.sh', 'late', 'never')).attach({ copy: 'rank.sh' })
    .batch({ walltime: '00:00:20', preamble: ['export SIMWRIGHT_KILL_AFTER=2'] })`,
      context,
    );
    expect(workspace.read('out/jobs/named.sbatch')).toContain('#SBATCH -C emulated\n');
    const { h = '', named = '', late = '' } = await cluster().submit(workspace.path('out')).finally(tellQueued);
    await running(workspace, 6);
    const ranks = ranksOf(workspace);
    const of = (name: string) => ranks.filter((one) => one.name === name);
    const hosts = of('plain')[0]?.hosts ?? [];
    expect(hosts).toHaveLength(2);
    expect(await foreseen(workspace, 'h', hosts)).toEqual(seen([...of('plain'), ...of('both')]));
    expect(of('both').map(({ gpus }) => gpus)).toEqual(['0,1']);
    expect(
      of('named')
        .map(({ node }) => node)
        .sort(),
    ).toEqual(['node2', 'node4']);
    workspace.write('go', '');
    expect(await ended(workspace, 'h', h)).toBe('COMPLETED 0:0\n');
    expect(await ended(workspace, 'named', named)).toBe('COMPLETED 0:0\n');
    await cluster().ended(late);
    expect(log(workspace, `late-${late}.out`)).toContain('late: 1 interrupted; the walltime is about to be over');
    await nothingLeft(workspace.path('out'));
  }, 240_000);

  test('a job of one group: members spread over its nodes, beside a store and a launch on all nodes, and then by GPUs', async (context) => {
    const ensemble = (name: string, more: string, count: number) =>
      `.ensemble('${name}', command('bash', 'rank.sh', '${name}', 'go-${name}')${more}).replicas(${count}).attach({ copy: 'rank.sh' })`;
    const workspace = await compiled(
      `experiment('one').batch({ walltime: '00:05:00', nodes: 2, gpusPerNode: 2 })
  .orchestrator({ name: 'beside' })
  .model('wide', command('bash', 'rank.sh', 'wide', 'go-four').tasks(2).nodes(2)).attach({ copy: 'rank.sh' })
  ${ensemble('four', '', 4)}
  ${ensemble('many', '.gpusPerTask(1)', 7)}.after('four').after('wide')`,
      context,
    );
    const { one = '' } = await cluster().submit(workspace.path('out'));
    const of = (name: string) => ranksOf(workspace).filter((rank_) => rank_.name === name);
    const onNodes = (name: string) =>
      hostsOf(of(name)).map((node) => of(name).filter((rank_) => rank_.node === node).length);
    const foreseenMembers = await membersForeseen(workspace);
    expect(foreseenMembers).toEqual({ wide: [1, 1], four: [2, 2], many: [2, 2], waiting: { many: 3 } });
    await running(workspace, 6);
    const hosts = of('wide')[0]?.hosts ?? [];
    expect(hosts).toHaveLength(2);
    const steps = await cluster().ask('squeue', '-h', '-s', '-j', one, '-o', '%j|%N|');
    expect(steps).toContain(`beside|${hosts[0]}|`);
    const inFirstStage = { wide: onNodes('wide'), four: onNodes('four') };
    workspace.write('go-four', '');
    await running(workspace, 10);
    expect({ ...inFirstStage, many: onNodes('many'), waiting: { many: 3 } }).toEqual(foreseenMembers);
    // GPUs are nobody else's.
    expect(new Set(of('many').map(({ node, gpus }) => `${node} ${gpus}`)).size).toBe(4);
    workspace.write('go-many', '');
    expect(await ended(workspace, 'one', one)).toBe('COMPLETED 0:0\n');
    expect(of('many')).toHaveLength(7);
    await nothingLeft(workspace.path('out'));
  }, 240_000);
});
