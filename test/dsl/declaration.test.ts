import { apptainer, command, experiment, mlBytes, mlFile, scriptFile, scriptText } from 'simwright';
import { describe, expect, test } from 'vitest';
import { authoredCommand, authoredExperiment, CommandDeclaration, ExperimentDeclaration } from '../../src/ir/index.js';

/** The declaration without places, as its own schema reads it; there must be no problems. */
function declared(builder: {
  readonly [authoredExperiment]: { readonly declaration: unknown; readonly problems: unknown };
}) {
  const { declaration, problems } = builder[authoredExperiment];
  expect(problems).toEqual([]);
  return ExperimentDeclaration.parse(withoutPlaces(declaration));
}

function withoutPlaces(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(withoutPlaces);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (key === 'at' ? [] : [[key, withoutPlaces(inner)]])),
  );
}

const run = command('run');
const empty = { attach: [], mlModels: [], scripts: [], incoming: [], after: [] };
const plain = { kind: 'command', executable: 'run', args: [] };
const only = (builder: Parameters<typeof declared>[0]) => declared(builder).entities.at(-1);

describe('command', () => {
  test('hosts, bindings, launcher and its options', () => {
    const { declaration, problems } = command('./lbm', 3)
      .hosts(['n1', 'n2'])
      .excludeHosts(['n3'])
      .cpuBind([0, 2])
      .launcher('srun')
      .launcherArgs({ mpi: 'pmix', exclusive: true })
      .launcherArgs({ mpi: 'none', 'kill-on-bad-exit': 1 })[authoredCommand];
    expect(problems).toEqual([]);
    expect(withoutPlaces(declaration)).toEqual({
      kind: 'command',
      executable: './lbm',
      args: ['3'],
      hosts: ['n1', 'n2'],
      excludeHosts: ['n3'],
      cpuBind: [0, 2],
      launcher: 'srun',
      launcherArgs: { mpi: 'none', exclusive: true, 'kill-on-bad-exit': 1 },
    });
  });

  test('several programs of one launch', () => {
    const { declaration, problems } = command('./ocean')
      .tasks(4)
      .mpmd(command('./ice').tasks(2), command('./land', '-v'))
      .mpmd(command('./air'))[authoredCommand];
    expect(problems).toEqual([]);
    expect(CommandDeclaration.parse(withoutPlaces(declaration))).toEqual({
      kind: 'command',
      executable: './ocean',
      args: [],
      tasks: 4,
      mpmd: [
        { kind: 'command', executable: './ice', args: [], tasks: 2 },
        { kind: 'command', executable: './land', args: ['-v'] },
        { kind: 'command', executable: './air', args: [] },
      ],
    });
  });

  test.each([
    ['a text', '/scratch', ['/scratch']],
    ['a list', ['/a', '/b:/c:ro'], ['/a', '/b:/c:ro']],
    ['a record', { '/data': '/input' }, ['/data:/input']],
  ])('a container whose binds are %s', (_what, bind, expected) => {
    const image = apptainer('image.sif', { bind, args: '--nv', pwd: '/work' });
    const { declaration, problems } = command('python3').container(image)[authoredCommand];
    expect(problems).toEqual([]);
    const container = { kind: 'apptainer', image: 'image.sif', bind: expected, args: ['--nv'], pwd: '/work' };
    expect(withoutPlaces(declaration.container)).toEqual(container);
    expect(declaration.container?.at?.file).toBe(import.meta.filename);
  });

  test('is immutable', () => {
    const base = command('run').launcherArgs({ a: 1 }).mpmd(command('a'));
    const one = base.launcherArgs({ b: 2 }).mpmd(command('b'));
    const other = base.launcherArgs({ c: 3 }).mpmd(command('c'));
    const told = (what: typeof base) => {
      const { launcherArgs, mpmd } = what[authoredCommand].declaration;
      return [launcherArgs, mpmd?.map(({ executable }) => executable)];
    };
    expect(told(base)).toEqual([{ a: 1 }, ['a']]);
    expect(told(one)).toEqual([{ a: 1, b: 2 }, ['a', 'b']]);
    expect(told(other)).toEqual([{ a: 1, c: 3 }, ['a', 'c']]);
    expect(Object.isFrozen(one[authoredCommand].declaration.mpmd)).toBe(true);
  });
});

describe('params', () => {
  const strategyOf = (builder: Parameters<typeof declared>[0]) => {
    const entity = only(builder);
    return entity?.kind === 'orchestrator' ? undefined : entity?.params?.strategy;
  };
  const ensemble = experiment('x').ensemble('e', run);

  test('every strategy', () => {
    const axes = { A: [1, 2, 3], B: ['x', 'y', 'z'], C: true };
    expect(strategyOf(ensemble.params(axes))).toEqual({ kind: 'all-perm' });
    expect(strategyOf(ensemble.params(axes, { strategy: 'step' }))).toEqual({ kind: 'step' });
    expect(strategyOf(ensemble.params(axes, { strategy: 'random' }))).toEqual({ kind: 'random', seed: 0 });
    const some = { strategy: 'random', count: 9, seed: 7 } as const;
    expect(strategyOf(ensemble.params(axes, some))).toEqual({ kind: 'random', seed: 7, count: 9 });
  });

  test('a strategy of the user, who is given the axes and how many members are wanted', () => {
    const seen: unknown[] = [];
    const strategy = (axes: Readonly<Record<string, readonly unknown[]>>, count: number) => {
      seen.push(axes, count);
      return [
        { A: 1, D: 'first' },
        { D: 'second', A: 2 },
      ];
    };
    expect(strategyOf(ensemble.params({ A: [1, 2], B: 5 }, { strategy, asArgs: ['D'] }))).toEqual({
      kind: 'explicit',
      assignments: [
        { A: 1, D: 'first' },
        { A: 2, D: 'second' },
      ],
    });
    ensemble.params({ A: [1, 2, 3], B: [5, 6] }, { strategy, count: 4 });
    expect(seen).toEqual([{ A: [1, 2], B: [5] }, 2, { A: [1, 2, 3], B: [5, 6] }, 4]);
  });

  test('numbers beyond 2^53 are kept digit by digit as BigInts, and as they are where they have few digits', () => {
    const values = { A: [2n ** 60n, 7n, -(2n ** 53n)], B: 1e20, C: 6.02214076e23, D: 2 ** 53 - 1 };
    const { declaration, problems } = experiment('e')
      .ensemble('e', command('run', 2n ** 64n))
      .params(values)[authoredExperiment];
    const [entity] = declaration.entities;
    expect(problems).toEqual([]);
    expect(entity?.kind === 'ensemble' ? [entity.params?.values, entity.command.args] : undefined).toEqual([
      { A: ['1152921504606846976', 7, '-9007199254740992'], B: 1e20, C: 6.02214076e23, D: 9007199254740991 },
      ['18446744073709551616'],
    ]);
  });

  test('a parameter named as an object is', () => {
    const values = JSON.parse('{ "__proto__": [1, 2], "constructor": "c" }') as Record<string, number[] | string>;
    const entity = ensemble.params(values)[authoredExperiment].declaration.entities[0];
    const params = entity?.kind === 'ensemble' ? entity.params?.values : undefined;
    expect(Object.entries(params ?? {})).toEqual([
      ['__proto__', [1, 2]],
      ['constructor', 'c'],
    ]);
  });
});

describe('an ensemble', () => {
  test('with replicas', () => {
    expect(
      only(
        experiment('x')
          .ensemble('e', run)
          .params({ A: [1, 2] })
          .replicas(4),
      ),
    ).toMatchObject({ replicas: 4 });
  });

  test('with members added by hand', () => {
    const builder = experiment('x')
      .ensemble('e', run)
      .addModel('coarse', command('run', '--n=8').tasks(2), { params: { N: 8 } })
      .addModel('fine', command('run', '--n=64'));
    expect(only(builder)).toEqual({
      kind: 'ensemble',
      name: 'e',
      command: plain,
      ...empty,
      added: [
        {
          kind: 'added-model',
          name: 'coarse',
          command: { kind: 'command', executable: 'run', args: ['--n=8'], tasks: 2 },
          params: { N: 8 },
        },
        {
          kind: 'added-model',
          name: 'fine',
          command: { kind: 'command', executable: 'run', args: ['--n=64'] },
          params: {},
        },
      ],
    });
  });
});

describe('a colocated store', () => {
  test('over TCP', () => {
    const options = { tcp: true, port: 6780, interface: 'ib0', pin: [0, 1], engine: 'redis', cpus: 2 } as const;
    expect(only(experiment('x').model('m', run).colocate(options))).toMatchObject({
      colocated: {
        kind: 'colocated',
        transport: { kind: 'tcp', port: 6780, interface: 'ib0' },
        pin: [0, 1],
        engine: 'redis',
        cpus: 2,
      },
    });
  });
});

describe('ML models and scripts', () => {
  const model = experiment('x').model('m', run);

  test('of every backend', () => {
    const bytes = new Uint8Array([1, 2]);
    const builder = model
      .addMlModel('onnx', mlFile('a.onnx'), { backend: 'ONNX', device: 'GPU', devicesPerNode: 2, firstDevice: 1 })
      .addMlModel('torch', mlFile('a.pt'), { backend: 'TORCH', orchestrator: 'store' })
      .addMlModel('tf', mlFile('a.pb'), { backend: 'TF', inputs: ['x'], outputs: ['Identity', 'logits'] })
      .addMlModel('tflite', mlBytes(bytes), { backend: 'TFLITE', batchSize: 8, minBatchSize: 2, minBatchTimeout: 5 });
    expect(only(builder)).toMatchObject({
      mlModels: [
        { name: 'onnx', backend: 'ONNX', device: 'GPU', devicesPerNode: 2, firstDevice: 1 },
        { name: 'torch', backend: 'TORCH', device: 'CPU', orchestrator: 'store' },
        { name: 'tf', backend: 'TF', inputs: ['x'], outputs: ['Identity', 'logits'] },
        { name: 'tflite', source: { kind: 'bytes', bytes }, batchSize: 8, minBatchSize: 2, minBatchTimeoutMs: 5 },
      ],
    });
  });

  test('scripts from a file, from text and from a function that is traced at once', () => {
    let calls = 0;
    const builder = model
      .addScript('file', scriptFile('prepare.py'), { device: 'GPU:1' })
      .addScript('text', scriptText('def a(x):\n    return x\n'), { device: 'GPU', devicesPerNode: 4 })
      .addFunction('made', (x) => x.mul(++calls), { orchestrator: 'store' });
    expect(calls).toBe(1);
    expect(only(builder)).toMatchObject({
      scripts: [
        { kind: 'script', name: 'file', source: { kind: 'file', path: 'prepare.py' }, device: 'GPU:1' },
        { name: 'text', source: { kind: 'text', text: 'def a(x):\n    return x\n' }, device: 'GPU', devicesPerNode: 4 },
        {
          name: 'made',
          source: { kind: 'text', text: 'def made(x):\n    return x.mul(1)\n' },
          device: 'CPU',
          orchestrator: 'store',
        },
      ],
    });
  });
});

describe('order and nodes', () => {
  test('after an event, a member and a key; on which nodes; with what set up', () => {
    const builder = experiment('x')
      .ensemble('sim', run)
      .model('m', run)
      .after('sim')
      .after('sim_3', 'started')
      .after('sim', { key: 'sim_0.ready', orchestrator: 'store' })
      .requires({ constraint: 'gpu&a100', gpusPerNode: 4, memory: '512G', queue: 'gpu' })
      .sharesNodesWith('sim')
      .setup({ modules: ['cuda/12', 'python'], commands: 'ulimit -s unlimited' });
    expect(only(builder)).toEqual({
      kind: 'model',
      name: 'm',
      command: plain,
      ...empty,
      after: [
        { kind: 'after', name: 'sim', event: 'completed' },
        { kind: 'after', name: 'sim_3', event: 'started' },
        { kind: 'after-key', name: 'sim', key: 'sim_0.ready', orchestrator: 'store' },
      ],
      requires: { kind: 'requires', constraint: 'gpu&a100', gpusPerNode: 4, memoryMiB: 512 * 1024, queue: 'gpu' },
      sharesNodesWith: { kind: 'shares-nodes', name: 'sim' },
      setup: { kind: 'setup', modules: ['cuda/12', 'python'], commands: ['ulimit -s unlimited'] },
    });
  });
});

describe('batch', () => {
  test('a job a member, mail and edits of directives', () => {
    const builder = experiment('x')
      .batch({ mail: { to: 'me@example.org', events: ['fail', 'begin'] } })
      .ensemble('e', run)
      .batch({
        mode: 'separate',
        mail: 'me@example.org',
        directives: { drop: ['--mem'], set: { '--comment': 'night run', '--spread-job': '', '--nice': 10 } },
      });
    const { batch, entities } = declared(builder);
    expect(batch?.mail).toEqual({ to: 'me@example.org', events: ['begin', 'fail'] });
    expect(entities[0]?.batch).toEqual({
      kind: 'batch',
      mode: 'separate',
      mail: { to: 'me@example.org', events: ['end', 'fail'] },
      directives: { drop: ['--mem'], set: { '--comment': 'night run', '--spread-job': '', '--nice': 10 } },
    });
  });
});

describe('an orchestrator', () => {
  test('with everything, described by the calls that follow it', () => {
    const builder = experiment('x')
      .orchestrator({
        name: 'store',
        shards: 3,
        nodes: 3,
        port: 6380,
        interface: 'ib0',
        engine: 'redis',
        hosts: ['n1', 'n2', 'n3'],
        maxMemory: '64G',
        maxClients: 1000,
        evictionPolicy: 'allkeys-lru',
        checkpointSeconds: 600,
        restart: true,
        saveAtEnd: '*.profile',
        threadsPerQueue: 2,
        interOpThreads: 1,
        intraOpThreads: 4,
        cpus: 8,
      })
      .batch({ nodes: 3, walltime: '01:00:00' })
      .requires({ memory: '128G' })
      .setup({ modules: 'redis' });
    expect(only(builder)).toEqual({
      kind: 'orchestrator',
      name: 'store',
      shards: 3,
      nodes: 3,
      port: 6380,
      interface: 'ib0',
      engine: 'redis',
      hosts: ['n1', 'n2', 'n3'],
      maxMemoryMiB: 64 * 1024,
      maxClients: 1000,
      evictionPolicy: 'allkeys-lru',
      checkpointSeconds: 600,
      restart: true,
      saveAtEnd: ['*.profile'],
      threadsPerQueue: 2,
      interOpThreads: 1,
      intraOpThreads: 4,
      cpus: 8,
      batch: { kind: 'batch', nodes: 3, walltimeSeconds: 3600 },
      requires: { kind: 'requires', memoryMiB: 128 * 1024 },
      setup: { kind: 'setup', modules: ['redis'], commands: [] },
    });
  });

  test('is described by its own calls, and the experiment by those before it', () => {
    const builder = experiment('x')
      .batch({ nodes: 1 })
      .orchestrator()
      .batch({ nodes: 2 })
      .model('m', run)
      .batch({ nodes: 3 });
    const { batch, entities } = declared(builder);
    expect([batch, ...entities.map((entity) => entity.batch)].map((node) => node?.nodes)).toEqual([1, 2, 3]);
  });
});

describe('a half-built experiment', () => {
  test('can be extended twice', () => {
    const base = experiment('x').ensemble('e', run).addModel('a', run).addScript('s', scriptText('def s(): ...'));
    const before = structuredClone(base[authoredExperiment].declaration);
    const one = base.addModel('b', run).addScript('t', scriptText('def t(): ...')).after('e', { key: 'k' }).replicas(2);
    const other = base.setup({ commands: 'true' }).orchestrator().batch({ nodes: 1 });
    expect(base[authoredExperiment].declaration).toEqual(before);
    const added = (builder: Parameters<typeof declared>[0]) =>
      declared(builder).entities.map((entity) =>
        entity.kind === 'ensemble' ? entity.added.map(({ name }) => name) : entity.name,
      );
    expect(added(one)).toEqual([['a', 'b']]);
    expect(added(other)).toEqual([['a'], 'orchestrator']);
    expect(Object.isFrozen(one[authoredExperiment].declaration.entities[0])).toBe(true);
  });

  test('can be built in a loop', () => {
    let builder: import('simwright').Opening<string> = experiment<string>('x');
    for (const name of ['a', 'b', 'c']) {
      const previous = builder.model(name, run);
      builder = name === 'a' ? previous : previous.after('a');
    }
    expect(declared(builder).entities.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  test('remembers the place of each call', () => {
    const builder = experiment('x')
      .ensemble('e', run)
      .addModel('a', run)
      .sharesNodesWith('e')
      .requires({ queue: 'gpu' });
    const [entity] = builder[authoredExperiment].declaration.entities;
    if (entity?.kind !== 'ensemble') throw new Error('there is no ensemble');
    const lines = [entity.at, entity.added[0]?.at, entity.sharesNodesWith?.at, entity.requires?.at].map(
      (at) => at?.line ?? 0,
    );
    const [first = 0] = lines;
    expect(lines).toEqual([first, first + 1, first + 2, first + 3]);
    expect(entity.at?.file).toBe(import.meta.filename);
  });
});
