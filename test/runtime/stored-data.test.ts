import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Plan, Store } from '../../src/ir/index.js';
import { readJobEnvironment } from '../../src/runtime/job/job-environment.js';
import { storePosition } from '../../src/runtime/store/store-position.js';
import { HeldStores } from '../../src/runtime/stored-data/held-stores.js';
import { readersOf } from '../../src/runtime/stored-data/readers.js';
import { useBundle } from './support/bundle.js';
import { JobFolder } from './support/job-folder.js';
import { makePlan } from './support/make-plan.js';

const bundle = useBundle();

/** A colocated store of two nodes, and who uses it. */
const twoNodes = (): Plan =>
  makePlan(
    [{ name: 'solver', stores: ['solver'] }],
    [{ name: 'solver', kind: 'colocated', transport: { kind: 'tcp', port: 0 }, nodes: 2 }],
  );

describe('who can read what an entity has put into a store', () => {
  const names = (plan: Plan, name: string) => {
    const source = plan.entities.find((entity) => entity.name === name);
    return source === undefined ? [] : readersOf(plan, source).map((entity) => entity.name);
  };
  const completed = (name: string) => [{ name, event: 'completed' as const }];
  const started = (name: string) => [{ name, event: 'started' as const }];

  test('with a prefix: who reads it or waits for it, also by way of others', () => {
    const common = { stores: ['store'], keyPrefixing: true };
    const plan = makePlan(
      [
        { name: 'sim', params: { case: [0, 1] }, ...common },
        { name: 'reader', incoming: ['sim'], ...common },
        { name: 'of-a-member', incoming: ['sim_1'], ...common },
        { name: 'after', after: started('sim'), ...common },
        { name: 'after-that', after: completed('after'), ...common },
        { name: 'beside', ...common },
        { name: 'elsewhere', incoming: ['sim'], after: completed('sim') },
      ],
      [{ name: 'store' }],
    );
    expect(names(plan, 'sim')).toEqual(['reader', 'of-a-member', 'after', 'after-that']);
    expect(names(plan, 'beside')).toEqual([]);
  });

  test('without one: whoever shares the store, unless it has ended before', () => {
    const common = { stores: ['store'] };
    const plan = makePlan(
      [
        { name: 'first', ...common },
        { name: 'second', after: completed('first'), ...common },
        { name: 'third', after: started('second'), ...common },
      ],
      [{ name: 'store' }],
    );
    expect(names(plan, 'first')).toEqual(['second', 'third']);
    expect(names(plan, 'second')).toEqual(['third']);
    expect(names(plan, 'third')).toEqual(['second']);
  });
});

test('nodes of a store are told apart by their launcher, else by their hosts', () => {
  const [store] = twoNodes().stores as [Store];
  const job = readJobEnvironment({ SIMWRIGHT_JOB: 'main', SIMWRIGHT_HOSTS: 'other-a other-b' }, '/tmp');
  expect(storePosition(job, store, { SLURM_PROCID: '1' })).toBe('1');
  // mpirun inside of a step: the step's number is that of the step, not of the rank.
  expect(storePosition(job, store, { SLURM_PROCID: '0', OMPI_COMM_WORLD_RANK: '1' })).toBe('1');
  expect(
    storePosition({ ...job, hosts: ['other', execFileSync('hostname', { encoding: 'utf8' }).trim()] }, store, {}),
  ).toBe('1');
  expect(storePosition(job, { ...store, nodes: 1 } as Store, { SLURM_PROCID: '7' })).toBe('0');
});

const isRoot = process.getuid?.() === 0;

test.skipIf(!isRoot)(
  'a colocated store of several nodes is saved by each, and data are there if all of them were',
  async () => {
    const folder = new JobFolder(bundle(), twoNodes());
    // Two nodes of one machine, with a loopback each, and a cable to the host of the script, at other addresses in each run.
    const net = `10.${210 + (process.pid % 40)}`;
    folder.write(
      'nodes.sh',
      `run() { # RANK LINE...
  local rank=$1 link="swn$$-$1"
  shift
  unshare --net sh -c 'until ip link set eth0 up; do sleep 0.01; done 2>/dev/null
    ip link set lo up; ip address add "$0.2/24" dev eth0; ip route add default via "$0.1"; exec "$@"' "${net}.$rank" "$@" &
  until ip link add "$link" type veth peer name eth0 netns $! 2>/dev/null; do sleep 0.01; done
  ip address add "${net}.$rank.1/24" dev "$link"
  ip link set "$link" up
}
for rank in 0 1; do PMI_RANK=$rank run "$rank" "$@"; done
wait
`,
    );
    const steps = (app: string) => `
export SIMWRIGHT_HOSTS="${net}.0.2 ${net}.1.2"
runtime up solver -- bash nodes.sh
cp run/stores/solver/address.json run/address.json
runtime launch solver -- ${app} & launched+=($!)`;
    expect(await folder.run(steps("sh -c 'exit 3'"))).toMatchObject({ code: 3, stderr: '' });
    const saved = () =>
      readdirSync(folder.path('run/stores/solver'))
        .filter((name) => /checkpoint|saved/.test(name))
        .sort();
    expect(saved()).toEqual(['0.checkpoint', '0.saved.json', '1.checkpoint', '1.saved.json']);
    const { id } = JSON.parse(folder.read('run/address.json'));
    const onDisk = () =>
      new HeldStores(folder.dir, () => undefined).has('solver', id, new Date().toISOString(), 'solver');
    expect(onDisk()).toBe(true);
    expect(await folder.run(steps("sh -c 'exit 3'"))).toMatchObject({ code: 3, stderr: '' });
    for (const { restored } of JSON.parse(folder.read('run/address.json')).nodes) {
      expect(restored).toMatchObject([{ store: id, nodes: 2, whole: true }]);
    }
    expect(onDisk()).toBe(true);
    folder.write('run/stores/solver/1.checkpoint', 'another');
    expect(onDisk()).toBe(false);
  },
);
