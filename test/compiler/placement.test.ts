import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { command, experiment, mlBytes } from '../../src/index.js';
import type { AuthoredExperiment, SiteInput, TargetName } from '../../src/ir/index.js';
import { compileFor, messagesOf, problemsOf, runtimeLines, scriptOf } from './support/compile-experiment.js';

/** The groups of the only job, each with its component, its first node, its number of nodes, and who runs there. */
function groupsOf(site: TargetName | SiteInput, built: AuthoredExperiment): string[] {
  const { plan } = compileFor(site, built);
  const [job] = plan.jobs;
  return (job?.groups ?? []).map(({ component, first, nodes }, index) => {
    const stores = plan.stores.filter(({ group }) => group === index).map(({ name }) => `store ${name}`);
    const entities = plan.entities.filter(({ group }) => group === index).map(({ name }) => name);
    return `${component}: ${first}+${nodes} ${[...stores, ...entities].join(', ')}`.trimEnd();
  });
}

function linesOf(site: TargetName | SiteInput, built: AuthoredExperiment): string[] {
  const compiled = compileFor(site, built);
  return runtimeLines(scriptOf(compiled, compiled.plan.jobs[0]?.name ?? ''));
}

function allocationOf(site: TargetName | SiteInput, built: AuthoredExperiment) {
  return compileFor(site, built).plan.jobs[0]?.allocation;
}

/** Slurm's nodes of 4 cores and 2 GPUs. */
const small: SiteInput = { name: 's', target: 'slurm', node: { cores: 4, gpus: 2 } };

describe('a trainer beside its simulation, each with GPUs', () => {
  const simulation = command('nek').tasks(4).nodes(2).gpusPerNode(1);
  const coupled = (tasks: number, nodes: number) =>
    experiment('nek')
      .model('sim', simulation)
      .colocate({ uds: true })
      .model('train', command('train').tasks(tasks).nodes(nodes).gpusPerNode(1))
      .sharesNodesWith('sim');

  test('gets nodes with GPUs and CPUs for both, where the site does not say what nodes have', () => {
    expect(allocationOf('slurm', coupled(2, 2))).toMatchObject({ nodes: 2, gpusPerNode: 2, cpusPerNode: 2 + 1 + 1 });
    expect(groupsOf('slurm', coupled(2, 2))).toEqual(['0: 0+2 store sim, sim, train']);
  });

  test('may run on fewer of them, and not on more', () => {
    expect(allocationOf(small, coupled(1, 1))).toMatchObject({ nodes: 2, gpusPerNode: 2 });
    expect(problemsOf('slurm', coupled(3, 3))).toMatchObject([
      {
        code: 'PLAN1006',
        message: ".sharesNodesWith('sim'): 'train' runs on 3 nodes, and 'sim' has 2",
        hint: "lower .nodes() of 'train', or raise those of 'sim'",
        at: { line: expect.any(Number) },
      },
    ]);
  });

  test('is refused where a node is too small for both, with who takes what', () => {
    expect(messagesOf({ ...small, node: { cores: 4, gpus: 1, memoryMiB: 2048 } }, coupled(4, 2))).toEqual([
      "PLAN1006 'sim' and 'train' share nodes and need 5 CPUs on each ('sim' 2, 'train' 2, the store of 'sim' 1), and a node of site 's' has 4",
      "PLAN1006 'sim' and 'train' share nodes and need 2 GPUs on each ('sim' 1, 'train' 1), and a node of site 's' has 1",
    ]);
  });

  test('needs no room for both where one waits for the other', () => {
    const later = experiment('nek')
      .model('sim', simulation)
      .model('plot', command('plot').tasks(4).nodes(2).gpusPerNode(2))
      .sharesNodesWith('sim')
      .after('sim');
    expect(allocationOf({ ...small, node: { cores: 2, gpus: 2 } }, later)).toMatchObject({
      nodes: 2,
      gpusPerNode: 2,
      cpusPerNode: 2,
    });
  });

  test('has its nodes, named to the launcher, where the job has others', () => {
    const beside = coupled(2, 2).model('watch', command('watch'));
    expect(groupsOf('pbs', beside)).toEqual(['0: 0+1 watch', '0: 1+2 store sim, sim, train']);
    expect(linesOf('pbs', beside)).toEqual([
      `runtime up sim -- mpiexec -n 2 -ppn 1 -hosts "$(cut -d ' ' -f 2-3 <<<"$SIMWRIGHT_HOSTS" | tr ' ' ,)"`,
      "runtime launch sim -- mpiexec -n 4 -ppn 2 -hosts '{hosts}' nek & launched+=($!)",
      "runtime launch train -- mpiexec -n 2 -ppn 1 -hosts '{hosts}' train & launched+=($!)",
      "runtime launch watch -- mpiexec -n 1 -ppn 1 -hosts '{hosts}' watch & launched+=($!)",
    ]);
  });

  test('leaves nodes that the user gave beyond theirs idle, with a warning', () => {
    const given = experiment('nek')
      .batch({ nodes: 4 })
      .model('sim', simulation)
      .model('train', command('train').tasks(2).nodes(2))
      .sharesNodesWith('sim');
    expect(groupsOf('slurm', given)).toEqual(['0: 0+2 sim, train', '0: 2+2']);
    expect(compileFor('slurm', given).warnings.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'PLAN1010 the job has 4 nodes, and what runs in it at a time uses at most 2',
    ]);
  });

  test('is refused by a launcher that lets nothing run beside an application', () => {
    const cray: SiteInput = { name: 'xc', target: 'pbs', launcher: 'aprun' };
    const bare = experiment('e').model('a', command('a')).model('b', command('b')).sharesNodesWith('a');
    expect(messagesOf(cray, bare)).toEqual([
      "PLAN1006 'a' shares its nodes, and its launcher runs nothing beside it there",
      "PLAN1006 'b' shares its nodes, and its launcher runs nothing beside it there",
    ]);
  });
});

describe('nodes of its own inside a job', () => {
  const application = (open: ReturnType<typeof base>) => open.model('sim', command('sim').tasks(4).nodes(2));
  const base = () => experiment('e').batch({ walltime: '01:00:00' });

  test('of a store of one process: the first, where the script runs', () => {
    const one = application(base()).orchestrator({ apart: true });
    expect(groupsOf('pbs', one)).toEqual(['0: 0+1 store orchestrator', '0: 1+2 sim']);
    expect(linesOf('pbs', one)[0]).toBe('runtime up orchestrator');
    expect(allocationOf('pbs', one)).toMatchObject({ nodes: 3, cpusPerNode: 2 });
  });

  test('of a store of several: behind those of the application', () => {
    const three = application(base()).orchestrator({ apart: true, shards: 3, engine: 'redis' });
    expect(groupsOf('pbs', three)).toEqual(['0: 0+2 sim', '0: 2+3 store orchestrator']);
    expect(linesOf('pbs', three)[0]).toBe(
      `runtime up orchestrator -- mpiexec -n 3 -ppn 1 -hosts "$(cut -d ' ' -f 3-5 <<<"$SIMWRIGHT_HOSTS" | tr ' ' ,)"`,
    );
  });

  test('of a store of several servers a node, which one process there starts', () => {
    const four = application(base()).orchestrator({ apart: true, shards: 4, nodes: 2, engine: 'redis' });
    expect(groupsOf('slurm', four)).toEqual(['0: 0+2 sim', '0: 2+2 store orchestrator']);
    expect(linesOf('slurm', four)[0]).toContain('--nodes=2 --ntasks=2 --ntasks-per-node=1 --cpus-per-task=2');
  });

  test('of a second store of one process, which the launcher starts there', () => {
    const two = application(base()).orchestrator({ name: 'near' }).orchestrator({ name: 'far', apart: true });
    expect(groupsOf('pbs', two)).toEqual(['0: 0+2 store near, sim', '0: 2+1 store far']);
    expect(linesOf('pbs', two).slice(0, 2)).toEqual([
      'runtime up near',
      `runtime up far -- mpiexec -n 1 -ppn 1 -hosts "$(cut -d ' ' -f 3-3 <<<"$SIMWRIGHT_HOSTS" | tr ' ' ,)"`,
    ]);
  });

  test('of an application, with those that share them', () => {
    const one = application(base()).requires({ apart: true }).model('near', command('near')).sharesNodesWith('sim');
    const other = one.model('other', command('other').tasks(3));
    expect(groupsOf('slurm', other)).toEqual(['0: 0+1 other', '0: 1+2 sim, near']);
    expect(groupsOf('slurm', one)).toEqual(['0: 0+2 sim, near']);
  });

  test('count in the nodes that the job was given; the others get the rest', () => {
    const given = (nodes: number) =>
      application(experiment('e').batch({ nodes }).orchestrator({ apart: true }))
        .ensemble('e2', command('x'))
        .replicas(9);
    expect(groupsOf('slurm', given(6))).toEqual(['0: 0+1 store orchestrator', '0: 1+5 sim, e2']);
    expect(problemsOf('slurm', given(2))).toMatchObject([
      {
        code: 'PLAN1001',
        message: "job 'e' needs 3 nodes and has 2: 1 for store 'orchestrator', 2 for 'sim' and 'e2'",
        hint: 'raise nodes in .batch() to 3, or let some share nodes',
      },
    ]);
  });

  test('keep within what the site gives one job', () => {
    const members = base().orchestrator({ apart: true }).ensemble('m', command('x').tasks(4)).replicas(9);
    expect(groupsOf({ ...small, maxNodes: 4 }, members)).toEqual(['0: 0+1 store orchestrator', '0: 1+3 m']);
    expect(groupsOf(small, members)).toEqual(['0: 0+1 store orchestrator', '0: 1+9 m']);
  });

  test('are nodes of one kind; those of another kind are a component', () => {
    const mixed = application(base())
      .requires({ constraint: 'cpu', apart: true })
      .model('other', command('other'))
      .requires({ constraint: 'cpu' })
      .model('train', command('train'))
      .requires({ constraint: 'gpu' });
    expect(groupsOf('slurm', mixed)).toEqual(['0: 0+1 other', '0: 1+2 sim', '1: 0+1 train']);
  });

  test('mean nothing on one machine', () => {
    expect(groupsOf('local', application(base()).requires({ apart: true }).orchestrator({ apart: true }))).toEqual([
      '0: 0+1 store orchestrator, sim',
    ]);
  });

  test('are refused to those that have them already, and to those that share others', () => {
    expect(messagesOf('slurm', application(base()).requires({ apart: true }).batch({}))).toEqual([
      "PLAN1006 apart: 'sim' is a job of its own, so all its nodes are its own",
    ]);
    expect(messagesOf('slurm', application(base()).orchestrator({ apart: true }).batch({}))).toEqual([
      "PLAN1006 apart: 'orchestrator' is a job of its own, so all its nodes are its own",
    ]);
    const shared = application(base()).model('w', command('w')).sharesNodesWith('sim').requires({ apart: true });
    expect(messagesOf('slurm', shared)).toEqual([
      "PLAN1006 apart: 'w' shares the nodes of 'sim', so it has none of its own",
    ]);
  });

  test('are refused beside hosts that the user names', () => {
    const named = base()
      .orchestrator({ apart: true })
      .model('m', command('m').hosts(['n1']));
    expect(messagesOf('slurm', named)).toEqual([
      "PLAN1006 'm' names its hosts, and others of its job have nodes of their own: a host may be one of theirs",
    ]);
  });
});

describe("entities that read each other's keys", () => {
  const circle = (nodes: number | undefined, tasks: number) =>
    experiment('e')
      .batch(nodes === undefined ? {} : { nodes })
      .orchestrator()
      .model('a', command('a').tasks(tasks))
      .apply((open) => open.registerIncomingEntity('b'))
      .model('b', command('b').tasks(3))
      .registerIncomingEntity('a');

  test('get nodes on which both find room', () => {
    expect(allocationOf(small, circle(undefined, 3))).toMatchObject({ nodes: 2, cpusPerNode: 4 });
    expect(allocationOf({ ...small, node: { cores: 8 } }, circle(undefined, 3))).toMatchObject({ nodes: 1 });
  });

  test('are refused where they do not, with what each takes', () => {
    expect(problemsOf(small, circle(1, 2))).toMatchObject([
      {
        code: 'PLAN1013',
        message:
          "'a' and 'b' read each other's keys, so they have to run at the same time, and cannot: 'a' takes 2 CPUs on one node, 'b' takes 3 CPUs on one node, and they have 1 node of 4 CPUs, 2 GPUs",
        hint: 'raise nodes in .batch(), or lower what one of them takes: .tasks(), .cpusPerTask(), .gpusPerNode()',
      },
    ]);
  });

  test('are refused for the CPUs of a store that no launch may use as well', () => {
    expect(messagesOf({ ...small, node: { cores: 5 } }, circle(1, 2))).toEqual([]);
    expect(messagesOf({ ...small, node: { cores: 5 }, target: 'pbs' }, circle(1, 2))).toEqual([
      expect.stringMatching(
        /^PLAN1013 .* store 'orchestrator' holds 1 CPU on one node, and they have 1 node of 5 CPUs$/,
      ),
    ]);
  });

  test('are refused for GPUs, and for nodes that launches have to themselves', () => {
    const pair = (size: (one: ReturnType<typeof command>) => ReturnType<typeof command>) =>
      experiment('e')
        .batch({ nodes: 1 })
        .orchestrator()
        .model('a', size(command('a')))
        .model('b', size(command('b')))
        .registerIncomingEntity('a');
    const mutual = (size: (one: ReturnType<typeof command>) => ReturnType<typeof command>) =>
      experiment('e')
        .batch({ nodes: 1 })
        .orchestrator()
        .model('a', size(command('a')))
        .apply((open) => open.registerIncomingEntity('b'))
        .model('b', size(command('b')))
        .after('a', { key: 'ready' });
    // An entity that only reads the other's keys may come later.
    expect(
      messagesOf(
        small,
        pair((one) => one.gpusPerNode(2)),
      ),
    ).toEqual([]);
    expect(
      messagesOf(
        small,
        mutual((one) => one.gpusPerNode(2)),
      ),
    ).toEqual([
      "PLAN1013 'a' and 'b' read each other's keys, so they have to run at the same time, and cannot: 'a' takes 1 CPU and 2 GPUs on one node, 'b' takes 1 CPU and 2 GPUs on one node, and they have 1 node of 4 CPUs, 2 GPUs",
    ]);
    const memory = { ...small, node: { memoryMiB: 1024 } };
    expect(
      messagesOf(
        memory,
        mutual((one) => one.memoryPerNode('600M')),
      ),
    ).toEqual([
      expect.stringMatching(/^PLAN1013 .* 'b' takes 1 CPU and 600 MiB on one node, and they have 1 node of 1024 MiB$/),
    ]);
    const cray: SiteInput = { name: 'xc', target: 'pbs', launcher: 'aprun' };
    expect(
      messagesOf(
        cray,
        mutual((one) => one),
      ),
    ).toEqual(expect.arrayContaining([expect.stringMatching(/^PLAN1001 job 'e' needs 3 nodes and has 1: /)]));
  });

  test('need no room at a time where the circle is that of a service with each of its users', () => {
    const service = experiment('e')
      .batch({ nodes: 2 })
      .orchestrator()
      .model('service', command('s').tasks(2))
      .apply((open) => open.registerIncomingEntity('u1', 'u2'))
      .model('u1', command('u').tasks(3))
      .registerIncomingEntity('service')
      .model('u2', command('u').tasks(3))
      .registerIncomingEntity('service');
    expect(messagesOf(small, service)).toEqual([]);
  });

  test('in two circles get room for both, which could else hold what the other waits for', () => {
    const both = (nodes?: number) =>
      experiment('e')
        .batch(nodes === undefined ? {} : { nodes })
        .orchestrator({ apart: true })
        .model('a', command('x').tasks(3))
        .apply((one) => one.registerIncomingEntity('b'))
        .model('b', command('x').tasks(3))
        .registerIncomingEntity('a')
        .model('c', command('x').tasks(3))
        .apply((one) => one.registerIncomingEntity('d'))
        .model('d', command('x').tasks(3))
        .registerIncomingEntity('c');
    expect(compileFor(small, both()).plan.jobs[0]?.allocation.nodes).toBe(5);
    expect(messagesOf(small, both(4))).toEqual([
      "PLAN1013 'a', 'b', 'c' and 'd' wait for keys of each other in several circles that may run at the same time, and each may hold what another waits for: 'a' takes 3 CPUs on one node, 'b' takes 3 CPUs on one node, 'c' takes 3 CPUs on one node, 'd' takes 3 CPUs on one node, and they have 3 nodes of 4 CPUs, 2 GPUs",
    ]);
  });

  test('in two circles of which one waits for the end of the other need no more than one', () => {
    const chained = experiment('e')
      .batch({ nodes: 3 })
      .orchestrator({ apart: true })
      .model('a', command('x').tasks(3))
      .apply((one) => one.registerIncomingEntity('b'))
      .model('b', command('x').tasks(3))
      .registerIncomingEntity('a')
      .model('c', command('x').tasks(3))
      .after('a', 'ended')
      .after('b', 'ended')
      .apply((one) => one.registerIncomingEntity('d'))
      .model('d', command('x').tasks(3))
      .registerIncomingEntity('c')
      .after('a', 'ended')
      .after('b', 'ended');
    expect(messagesOf(small, chained)).toEqual([]);
  });

  test('leave room for each other: members of an ensemble are limited', () => {
    const open = (nodes: number) =>
      experiment('e')
        .batch({ nodes: nodes + 1 })
        .orchestrator({ apart: true })
        .ensemble('many', command('x').tasks(2))
        .replicas(9)
        .apply((one) => one.registerIncomingEntity('one'))
        .model('one', command('x').tasks(2).nodes(2))
        .registerIncomingEntity('many');
    const limitOf = (nodes: number) => compileFor(small, open(nodes)).plan.entities[0]?.launch.atMost;
    // Of four nodes with room for two members each `one` takes a half of two.
    expect([limitOf(2), limitOf(4), limitOf(8)]).toEqual([2, 6, undefined]);
  });

  test('cannot wait for the end of each other', () => {
    const ends = (event: 'completed' | 'started') =>
      experiment('e')
        .orchestrator()
        .model('a', command('a'))
        .apply((open) => open.registerIncomingEntity('c'))
        .model('b', command('b'))
        .after('a', event)
        .model('c', command('c'))
        .after('b');
    expect(problemsOf('slurm', ends('completed'))).toMatchObject([
      {
        code: 'PLAN1013',
        message: ".registerIncomingEntity('c'): 'a' would wait for keys of 'c', which starts only when 'a' has ended",
      },
    ]);
    expect(messagesOf('slurm', ends('started'))).toEqual([]);
  });
});

test('an entity whose CPUs a store holds can never start, where launches wait for them', () => {
  const full = experiment('e').batch({ nodes: 1 }).orchestrator().model('a', command('a').tasks(4));
  expect(messagesOf({ ...small, target: 'lsf' }, full)).toEqual([
    "PLAN1013 'a' can never start: 'a' takes 4 CPUs on one node, store 'orchestrator' holds 1 CPU on one node, and they have 1 node of 4 CPUs, 2 GPUs",
  ]);
  for (const target of ['slurm', 'pbs'] as const) expect(messagesOf({ ...small, target }, full)).toEqual([]);
  const alone = experiment('e').orchestrator().model('a', command('a').tasks(4));
  expect(allocationOf({ ...small, target: 'lsf' }, alone)).toMatchObject({ nodes: 2, cpusPerNode: 4 });
});

test('an entity whose GPUs the models of a store hold can never start, where launches wait for them', () => {
  const model = readFileSync(new URL('../runtime/orchestrator/models/double.onnx', import.meta.url));
  const gpus = (perNode: number) => command('a').tasks(2).nodes(2).gpusPerNode(perNode);
  const beside = (perNode: number) =>
    experiment('e')
      .model('a', gpus(perNode))
      .colocate({ uds: true })
      .addMlModel('m', mlBytes(model), { backend: 'ONNX', device: 'GPU' });
  expect(messagesOf({ ...small, target: 'lsf' }, beside(2))).toEqual([
    "PLAN1013 'a' can never start: 'a' takes 1 CPU and 2 GPUs on each of 2 nodes, the store of 'a' holds 1 CPU and 1 GPU on each node, and they have 2 nodes of 4 CPUs, 2 GPUs",
  ]);
  expect(messagesOf({ ...small, target: 'lsf' }, beside(1))).toEqual([]);
  for (const target of ['slurm', 'pbs'] as const) expect(messagesOf({ ...small, target }, beside(2))).toEqual([]);
});

test('two that run at once on whole nodes have four', () => {
  const two = experiment('e')
    .model('a', command('a').tasks(8).nodes(2))
    .model('b', command('b').tasks(8).nodes(2))
    .after('a', 'started');
  expect(groupsOf(small, two)).toEqual(['0: 0+4 a, b']);
  expect(groupsOf(small, two.after('a'))).toEqual(['0: 0+2 a, b']);
});

describe('GPUs of entities that may run at the same time', () => {
  const users = (open: ReturnType<typeof experiment>) =>
    open
      .model('a', command('a').tasks(2).nodes(2).gpusPerNode(2))
      .model('b', command('b').tasks(2).nodes(2).gpusPerNode(1));

  test('are summed where the site does not say what nodes have', () => {
    expect(allocationOf('slurm', users(experiment('e')))).toMatchObject({ nodes: 2, gpusPerNode: 3 });
    expect(allocationOf('slurm', users(experiment('e')).after('a'))).toMatchObject({ nodes: 2, gpusPerNode: 2 });
  });

  test('make nodes of those that the site has', () => {
    expect(allocationOf(small, users(experiment('e')))).toMatchObject({ nodes: 3, gpusPerNode: 2 });
  });
});

describe('nodes of a command that names none', () => {
  const nodesOf = (site: SiteInput, one: ReturnType<typeof command>) =>
    compileFor(site, experiment('e').model('m', one)).plan.entities[0]?.size;

  test('are as many as its GPUs and CPUs need', () => {
    const four: SiteInput = { name: 's', target: 'slurm', node: { cores: 64, gpus: 4 } };
    expect(nodesOf(four, command('x').tasks(8).gpusPerTask(1))).toMatchObject({ nodes: 2, tasksPerNode: 4 });
    expect(nodesOf(four, command('x').tasks(8).gpusPerTask(3))).toMatchObject({ nodes: 8, gpusPerNode: 3 });
    expect(nodesOf(four, command('x').tasks(8).gpusPerTask(1).cpusPerTask(32))).toMatchObject({ nodes: 4 });
    // One task of 3 CPUs fits on a node of 4 cores, not one and a third.
    expect(nodesOf(small, command('x').tasks(4).cpusPerTask(3))).toMatchObject({ nodes: 4, tasksPerNode: 1 });
    expect(messagesOf(four, experiment('e').model('m', command('x').gpusPerTask(5)))).toEqual([
      "PLAN1001 'm' needs 5 GPUs a node, and site 's' has 4",
    ]);
  });

  test('are the hosts that it names, as far as it has tasks for them', () => {
    const on = (tasks: number) => experiment('e').model('m', command('x').tasks(tasks).hosts(['a', 'b', 'c']));
    expect(linesOf('pbs', on(6))).toEqual(['runtime launch m -- mpiexec -n 6 -ppn 2 -hosts a,b,c x & launched+=($!)']);
    const { plan, warnings } = compileFor('pbs', on(2));
    expect(plan.jobs[0]?.allocation).toMatchObject({ nodes: 3, hosts: ['a', 'b', 'c'] });
    expect(linesOf('pbs', on(2))).toEqual(['runtime launch m -- mpiexec -n 2 -ppn 1 -hosts a,b x & launched+=($!)']);
    expect(warnings).toMatchObject([
      {
        code: 'PLAN1010',
        message: ".hosts() of 'm' names 3 hosts, and its 2 tasks on 2 nodes leave c idle",
        hint: 'raise .tasks() or .nodes(), or name fewer hosts',
      },
    ]);
    expect(nodesOf({ name: 's', target: 'slurm' }, command('x').tasksPerNode(4).hosts(['a', 'b']))).toMatchObject({
      nodes: 2,
      tasks: 8,
    });
  });
});

describe('what starts without a launcher', () => {
  const bare: SiteInput = { name: 'bare', target: 'slurm', launcher: 'none', node: { cores: 2 } };
  const members = (batch: { nodes?: number }) => experiment('e').batch(batch).ensemble('m', command('x')).replicas(8);

  test('asks for the one node that it uses', () => {
    expect(allocationOf(bare, members({}))).toMatchObject({ nodes: 1, cpusPerNode: 2 });
  });

  test('leaves others idle, with a warning', () => {
    expect(compileFor(bare, members({ nodes: 3 })).warnings.map(({ message }) => message)).toEqual([
      "job 'e' has 3 nodes, and all that runs in it starts on the script's host: 2 nodes stay idle",
    ]);
  });

  test('cannot be apart from it', () => {
    const two = members({}).orchestrator({ apart: true });
    expect(messagesOf(bare, two)).toEqual([
      "PLAN1006 'm' starts without a launcher, on the script's host, which is not one of its nodes",
    ]);
    const one = experiment('e').model('a', command('a').tasks(2)).model('b', command('b').launcher('none'));
    expect(messagesOf('local', one.requires({ apart: true }))).toEqual([]);
  });
});

describe('srun in a job of one group is told hosts', () => {
  const flow = experiment('e').batch({ nodes: 2, walltime: '00:10:00' });
  const wide = command('a').tasks(2).nodes(2);
  const narrow = command('b');
  /** Names of what is told hosts: stores and entities. */
  const told = (built: AuthoredExperiment) => {
    const { plan } = compileFor({ ...small, node: { cores: 4 } }, built);
    const lines = [
      ...plan.stores.map(({ name, launch }) => [name, launch] as const),
      ...plan.entities.map(({ name, launch }) => [name, launch.lines.flatMap(({ words }) => words)] as const),
    ];
    return lines.filter(([, words]) => words.includes('-w')).map(([name]) => name);
  };

  test.each<readonly [what: string, built: AuthoredExperiment, names: readonly string[]]>([
    ['not of a single launch', flow.model('one', narrow), []],
    ['not of one on all nodes beside a store', flow.orchestrator().model('one', wide), []],
    ['not of those that come one after the other', flow.model('a', narrow).model('b', narrow).after('a'), []],
    ['not of those that all have all nodes', flow.model('a', wide).model('b', wide), []],
    ['of members at the same time', flow.ensemble('many', narrow).replicas(4), ['many']],
    ['of a launch beside a store, and of the store', flow.orchestrator().model('one', narrow), ['orchestrator', 'one']],
    ['of all where one is on some nodes', flow.model('a', wide).model('b', narrow), ['a', 'b']],
    ['of two stores', flow.orchestrator({ name: 's' }).orchestrator({ name: 't' }).model('a', wide), ['s', 't', 'a']],
    [
      'not of one whose hosts the user names',
      flow.model('a', narrow.hosts(['n2'])).model('b', narrow),
      // The user's are words of one piece.
      ['b'],
    ],
  ])('%s', (_, built, names) => {
    expect(told(built)).toEqual(names);
  });
});
