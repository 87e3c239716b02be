import { describe, expect, test } from 'vitest';
import type { SiteInput } from '../../src/ir/index.js';
import { compileIn, problemsIn, source, workspace } from './support/workspace.js';

/** Queues as centres have them: a small and a large one with limits by size, one for free, and one of other nodes. */
const site: SiteInput = {
  name: 'centre',
  target: 'slurm',
  node: { cores: 8, gpus: 2 },
  queues: {
    debug: { maxNodes: 2, maxWalltime: '01:00:00', maxJobs: 1 },
    prod: {
      minNodes: 10,
      minWalltime: '00:05:00',
      bins: [
        { maxNodes: 24, maxWalltime: '03:00:00' },
        { maxNodes: 99, maxWalltime: '06:00:00' },
      ],
    },
    cheap: { maxNodes: 20, chargeFactor: 0.25 },
    fat: { queue: 'large-memory', node: { cores: 64, gpus: 0 }, maxNodes: 1, maxArraySize: 2, chargeFactor: 2 },
  },
};

const job = (batch: string, sizes = '') => source(`\n  .model('m', command('true')${sizes})\n  .batch({ ${batch} })`);

describe('a queue that does not take the job', () => {
  test.each([
    [
      'too few nodes',
      "queue: 'prod', nodes: 2, walltime: '01:00:00'",
      "QUEUE1001 workflow.ts:5:4 job 'm' asks for 2 nodes for 01:00:00, and queue 'prod' takes 10 to 99 nodes | these take it: cheap (0.50 node-hours charged), debug (2.00 node-hours charged)",
    ],
    [
      'too many nodes, for too long',
      "queue: 'debug', nodes: 3, walltime: '02:00:00'",
      "QUEUE1001 workflow.ts:5:4 job 'm' asks for 3 nodes for 02:00:00, and queue 'debug' takes 1 to 2 nodes and jobs of at most 01:00:00 | these take it: cheap (1.50 node-hours charged)",
    ],
    [
      'too long for its size',
      "queue: 'prod', nodes: 24, walltime: '04:00:00'",
      "QUEUE1001 workflow.ts:5:4 job 'm' asks for 24 nodes for 04:00:00, and queue 'prod' takes jobs of 24 nodes of 00:05:00 to 03:00:00 | no queue of the site takes it: change nodes or walltime in .batch()",
    ],
    [
      'too short',
      "queue: 'prod', nodes: 10, walltime: '00:04:00'",
      "QUEUE1001 workflow.ts:5:4 job 'm' asks for 10 nodes for 00:04:00, and queue 'prod' takes jobs of 10 nodes of 00:05:00 to 03:00:00 | these take it: cheap (0.17 node-hours charged)",
    ],
    [
      'without a walltime: nodes are looked at all the same',
      "queue: 'debug', nodes: 30",
      "QUEUE1001 workflow.ts:5:4 job 'm' asks for 30 nodes, and queue 'debug' takes 1 to 2 nodes | these take it: prod",
    ],
    [
      'by the name that the scheduler has for it',
      "queue: 'large-memory', nodes: 2",
      "QUEUE1001 workflow.ts:5:4 job 'm' asks for 2 nodes, and queue 'fat' takes 1 node | these take it: cheap, debug",
    ],
  ])('%s', async (_what, batch, expected) => {
    expect((await problemsIn(job(batch), site)).filter((line) => !line.startsWith('PLAN1010'))).toEqual([expected]);
  });

  test('a queue that would take it counts for nothing if its nodes are too small', async () => {
    const problems = await problemsIn(job("queue: 'fat', nodes: 2, walltime: '01:00:00'", '.tasks(40)'), site);
    expect(problems.filter((line) => line.startsWith('QUEUE'))).toEqual([
      "QUEUE1001 workflow.ts:5:4 job 'm' asks for 2 nodes for 01:00:00, and queue 'fat' takes 1 node | no queue of the site takes it: change nodes or walltime in .batch()",
    ]);
  });

  test('more jobs than one user may have there', async () => {
    const two = source(
      "\n  .ensemble('e', command('true')).replicas(3)\n  .batch({ queue: 'debug', mode: 'separate' })",
    );
    expect(await problemsIn(two, site)).toEqual([
      "QUEUE1001 workflow.ts:5:4 job 'e' makes 3 jobs of this workflow in queue 'debug', which takes 1 of one user | leave out .batch() where entities may share a job, or name other queues",
    ]);
    const array = two.replace("'separate'", "'array'");
    expect(await problemsIn(array, site)).toEqual([]);
  });

  test('a reservation has limits of its own', async () => {
    expect(await problemsIn(job("queue: 'debug', nodes: 1, walltime: '99:00:00', reservation: 'r'"), site)).toEqual([]);
  });

  test('a name that is not there is a warning: sites need not know them all', async () => {
    const { warnings, plan } = await compileIn(workspace({ 'workflow.ts': job("queue: 'debgu'") }), site);
    expect(warnings.map(({ code, message, hint }) => `${code} ${message} | ${hint}`)).toEqual([
      "QUEUE1010 site 'centre' describes no queue 'debgu', so nothing is known of its limits | did you mean 'debug'?",
    ]);
    expect(plan.jobs[0]?.allocation.queue).toBe('debgu');
  });

  test('something that the site requires of every job', async () => {
    const strict: SiteInput = { ...site, required: ['account', 'walltime'] };
    expect(await problemsIn(job("queue: 'cheap'"), strict)).toEqual([
      "QUEUE1003 workflow.ts:5:4 job 'm' names no account, no walltime, and site 'centre' takes none without | .batch({ account: '…', walltime: '…' }), or defaults of a site that extends it",
    ]);
    const defaults = { account: 'a', walltime: '01:00:00' };
    expect(await problemsIn(job("queue: 'cheap'"), { ...strict, defaults })).toEqual([]);
  });
});

describe('the queue of a job', () => {
  const allocationOf = async (workflow: string, one: SiteInput = site) =>
    (await compileIn(workspace({ 'workflow.ts': workflow }), one)).plan.jobs[0]?.allocation;
  const withDefault: SiteInput = {
    ...site,
    queues: {
      ...site.queues,
      gpu: { default: true, qos: 'regular', constraint: 'gpu', chargeFactor: 1 },
      cpu: { qos: 'regular', constraint: 'cpu', node: { cores: 16, gpus: 0 }, chargeFactor: 0.5 },
    },
  };

  test('is none unless there is one, or a default: no other is chosen', async () => {
    expect(await allocationOf(job('nodes: 1'))).toEqual({ nodes: 1, cpusPerNode: 1, exclusive: false });
    const fitting = { ...withDefault, queues: { ...withDefault.queues, gpu: { default: true, maxNodes: 1 } } };
    expect(await problemsIn(job('nodes: 2'), fitting)).toContainEqual(
      expect.stringMatching(/^QUEUE1001 .* and queue 'gpu' takes 1 node \| these take it: /),
    );
  });

  test('has its own nodes, name, charge and size of arrays', async () => {
    expect(await allocationOf(job("queue: 'fat'", '.tasks(40)'))).toEqual({
      nodes: 1,
      cpusPerNode: 40,
      exclusive: false,
      queue: 'large-memory',
      chargeFactor: 2,
    });
    expect(await problemsIn(job("queue: 'fat'", '.gpusPerNode(1)'), site)).toContainEqual(
      "PLAN1001 workflow.ts:4:15 'm' needs 1 GPUs a node, and site 'centre' has 0 | choose a queue or a site whose nodes have some",
    );
    expect(await problemsIn(job("queue: 'prod', nodes: 10", '.tasks(120).nodes(10)'), site)).toContainEqual(
      "PLAN1001 workflow.ts:4:15 'm' needs 12 tasks of 1 CPUs on a node, and site 'centre' has 8 cores a node | raise .nodes(), or name a queue whose nodes have as many: fat",
    );
    const array = source("\n  .ensemble('e', command('true')).replicas(5).batch({ mode: 'array', queue: 'fat' })");
    const { plan } = await compileIn(workspace({ 'workflow.ts': array }), site);
    expect(plan.jobs[0]?.array).toEqual({ size: 2, perElement: 3 });
  });

  test('may be a quality of service, told apart by the constraint', async () => {
    const plain = { nodes: 1, cpusPerNode: 1, exclusive: false };
    expect(await allocationOf(job('nodes: 1'), withDefault)).toEqual({
      ...plain,
      qos: 'regular',
      constraint: 'gpu',
      chargeFactor: 1,
    });
    const cpu = { ...plain, qos: 'regular', constraint: 'cpu', chargeFactor: 0.5 };
    for (const batch of ["queue: 'cpu'", "constraint: 'cpu'", "qos: 'regular', constraint: 'cpu'"]) {
      expect(await allocationOf(job(batch), withDefault)).toEqual(cpu);
    }
    // The user's own words go before those of the queue.
    expect(await allocationOf(job("queue: 'cpu', qos: 'premium'"), withDefault)).toEqual({ ...cpu, qos: 'premium' });
  });

  test('is one for each kind of nodes of a heterogeneous job', async () => {
    const both = source(
      "\n  .batch({ walltime: '01:00:00' })\n  .model('a', command('true').tasks(8)).requires({ queue: 'cheap' })\n  .model('b', command('true').tasks(40)).requires({ queue: 'fat' })",
    );
    const { plan } = await compileIn(workspace({ 'workflow.ts': both }), site);
    const [one] = plan.jobs;
    expect([one?.allocation, ...(one?.components ?? [])].map((each) => [each?.queue, each?.chargeFactor])).toEqual([
      ['cheap', 0.25],
      ['large-memory', 2],
    ]);
  });
});

describe('directives that say what .batch() has words for', () => {
  const queues = { debug: { maxNodes: 2, maxWalltime: '01:00:00' }, prod: { minNodes: 10 } };
  const on = (target: SiteInput['target'], fields: object = {}): SiteInput => ({
    name: 'centre',
    target,
    queues,
    ...fields,
  });
  const edited = (set: object) => job(`nodes: 2, directives: { set: ${JSON.stringify(set)} }`, '.tasks(2).nodes(2)');
  const isTooLong = (time: string) =>
    `QUEUE1001 workflow.ts:5:4 job 'm' asks for 2 nodes for ${time}, and queue 'debug' takes jobs of at most 01:00:00`;

  test.each<[SiteInput['target'], object, string]>([
    ['slurm', { '-p': 'debug', '-t': 90 }, '01:30:00'],
    ['slurm', { '--partition': 'debug', '--time': '1-0' }, '24:00:00'],
    ['pbs', { '-q': 'debug', '-l walltime': 5400 }, '01:30:00'],
    ['lsf', { '-q': 'debug', '-W': '1:30' }, '01:30:00'],
    ['cobalt', { '--queue': 'debug', '-t': 90 }, '01:30:00'],
  ])('%s: %j is seen by the queue, and in what the job asks for', async (target, set, time) => {
    const [first = ''] = await problemsIn(edited(set), on(target));
    expect(first.split(' | ')[0]).toBe(isTooLong(time));
    const short = { ...set, ...(target === 'lsf' ? { '-W': 30 } : {}) };
    const roomy = on(target, { queues: { debug: { maxNodes: 2, chargeFactor: 3 } }, required: ['walltime'] });
    const { plan } = await compileIn(workspace({ 'workflow.ts': edited(short) }), roomy);
    const [hours = 0, minutes = 0] = (target === 'lsf' ? '00:30' : time).split(':').map(Number);
    expect(plan.jobs[0]?.allocation).toMatchObject({
      queue: 'debug',
      chargeFactor: 3,
      walltimeSeconds: hours * 3600 + minutes * 60,
    });
  });

  test.each<[SiteInput['target'], object]>([
    ['slurm', { '-p': 'debug', '-N': '2-4' }],
    ['pbs', { '-q': 'debug', '-l select': '3:ncpus=1+host=n1' }],
    ['pbs', { '-q': 'debug', '-l nodes': 'n1+3:ppn=2' }],
    ['lsf', { '-q': 'debug', '-nnodes': 4 }],
    ['cobalt', { '-q': 'debug', '-n': 4, '-t': 30 }],
  ])('%s: %j asks for more nodes than the queue has', async (target, set) => {
    expect(await problemsIn(edited(set), on(target))).toContainEqual(
      expect.stringMatching(/^QUEUE1001 .* asks for 4 nodes.* and queue 'debug' takes 1 to 2 nodes/),
    );
  });

  test('those of the site count for every job, also beside an own wish for nodes', async () => {
    const strict = on('slurm', { directives: { set: { '-p': 'prod' } } });
    const workflow = source(
      "\n  .batch({ queue: 'debug' })\n  .model('a', command('true'))\n  .requires({ queue: 'debug' })\n  .model('b', command('true'))\n  .batch({ queue: 'debug' })",
    );
    expect((await problemsIn(workflow, strict)).map((line) => line.split(' | ')[0])).toEqual([
      "QUEUE1001 workflow.ts:4:4 job 'bad' asks for 1 node, and queue 'prod' takes 10 or more nodes",
      "QUEUE1001 workflow.ts:8:4 job 'b' asks for 1 node, and queue 'prod' takes 10 or more nodes",
    ]);
  });
});

describe('queues that contradict themselves', () => {
  test.each([
    [{ a: { minNodes: 3, maxNodes: 2 } }, 'queues.a.minNodes: 3 is more than maxNodes, 2'],
    [
      { a: { minWalltime: '02:00:00', maxWalltime: '01:00:00' } },
      'queues.a.minWalltime: 02:00:00 is more than maxWalltime, 01:00:00',
    ],
    [
      {
        a: {
          bins: [
            { maxNodes: 2, maxWalltime: '01:00:00' },
            { maxNodes: 2, maxWalltime: '02:00:00' },
          ],
        },
      },
      'queues.a.bins: sort them by maxNodes, the smallest first',
    ],
    [{ a: { default: true }, b: { default: true } }, "queues.b.default: 'a' is the default already"],
    [{ a: { maxNode: 1 } }, 'queues.a: Unrecognized key: "maxNode"'],
  ])('%j', async (queues, expected) => {
    const input = JSON.stringify({ name: 's', target: 'slurm', queues });
    const [problem = ''] = await problemsIn({ 'workflow.ts': job('nodes: 1'), 'site.json': input }, 'site.json');
    expect(problem).toContain(`site.json: ${expected}`);
    expect(problem).toMatch(/^SITE1002 site\.json:1:[3-9]\d /);
  });
});

describe('errors of one kind do not hide others', () => {
  const entity = (name: string, batch: string, calls = '') =>
    `\n  .model('${name}', command('true'))${calls}\n  .batch({ ${batch} })`;

  test('mistakes of values, files, queues and sizes are told at once, a line once', async () => {
    const socket = `\n  .colocate({ uds: true, socket: '/tmp/${'x'.repeat(110)}' })`;
    const workflow = [
      entity('a', "walltime: 'long', queue: 'debug', nodes: 3"),
      entity('b', "queue: 'prod', nodes: 1, walltime: '02:00:00'"),
      entity('c', "nodes: 1, walltime: '01:00:00'", ".attach({ copy: 'nothing.txt' })"),
      entity('d', "nodes: 1, walltime: '01:00:00'", socket),
      "\n  .model('e', command('true').tasks(99).tasksPerNode(99))",
    ];
    const problems = await problemsIn(source(workflow.join('')), site);
    expect(problems.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'DSL1005 workflow.ts:5:4',
      'QUEUE1001 workflow.ts:7:4',
      'FILE1001 workflow.ts:8:32',
      'STORE1002 workflow.ts:11:4',
      'PLAN1001 workflow.ts:13:15',
    ]);
  });

  test('an error in a name is told by itself: nobody can say which jobs there are', async () => {
    const workflow = `${entity('a', "queue: 'debug', nodes: 3")}\n  .after('b')`;
    expect(await problemsIn(source(workflow), site)).toEqual([expect.stringMatching(/^REF1001 /)]);
  });
});
