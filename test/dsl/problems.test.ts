import * as simwright from 'simwright';
import { apptainer, command, experiment, mlFile, scriptFile } from 'simwright';
import { describe, expect, test } from 'vitest';
import { type Authored, authoredCommand, authoredExperiment, vocabulary } from '../../src/ir/index.js';

/*
 * Calls as code makes them that no type has checked: every builder goes on, and gathers what is wrong.
 */

/** A builder without its types. */
type Untyped = { readonly [call: string]: (...args: readonly unknown[]) => Untyped } & {
  readonly [authoredExperiment]: Authored<unknown>;
  readonly [authoredCommand]: Authored<unknown>;
};

const untyped = (builder: unknown) => builder as Untyped;
const run = command('run');
const model = untyped(experiment('x').model('m', run));
const ensemble = untyped(experiment('x').ensemble('e', run));
const program = untyped(run);

/** Each problem as `CODE message | hint`; all of them have a place in this file. */
function problemsOf(builder: Untyped): string[] {
  const { problems } = builder[authoredExperiment] ?? builder[authoredCommand];
  return problems.map(({ code, message, hint, at }) => {
    expect(at?.file).toBe(import.meta.filename);
    return `${code} ${message}${hint === undefined ? '' : ` | ${hint}`}`;
  });
}

type Case = readonly [what: string, builder: () => Untyped, ...problems: string[]];

const call = (on: Untyped, name: string, ...args: readonly unknown[]) => {
  const method = on[name];
  if (method === undefined) throw new Error(`there is no .${name}()`);
  return method.call(on, ...args);
};

const check = (cases: readonly Case[]) => {
  for (const [what, builder, ...expected] of cases) {
    test(what, () => expect(problemsOf(builder())).toEqual(expected));
  }
};

const oneHost = 'each entry is the name of one host';

describe('a command', () => {
  check([
    [
      'a list of hosts that is none',
      () => call(program, 'hosts', 'n1'),
      "DSL1001 .hosts(): the list of hosts cannot be 'n1': Invalid input: expected array, received string",
    ],
    [
      'a bracket expression for a host',
      () => call(program, 'hosts', ['n[1-4]']),
      `DSL1001 .hosts(): the list of hosts cannot be ['n[1-4]']: ${oneHost}, → at [0]`,
    ],
    [
      'no host',
      () => call(program, 'excludeHosts', []),
      'DSL1001 .excludeHosts(): the list of hosts cannot be []: at least one host is needed',
    ],
    [
      'a negative CPU',
      () => call(program, 'cpuBind', [-1]),
      'DSL1001 .cpuBind(): the list of CPUs cannot be [-1]: it cannot be negative, → at [0]',
    ],
    [
      'an unknown launcher',
      () => call(program, 'launcher', 'mpirn'),
      "DSL1001 .launcher(): the launcher cannot be 'mpirn': it is one of 'srun', 'mpirun', 'mpiexec', 'orterun', 'pals', 'aprun', 'jsrun', 'none' | did you mean 'mpirun'?",
    ],
    [
      'no launcher',
      () => call(program, 'launcher'),
      'DSL1001 .launcher(): the launcher cannot be undefined: Invalid option: expected one of "srun"|"mpirun"|"mpiexec"|"orterun"|"pals"|"aprun"|"jsrun"|"none"',
    ],
    [
      'an option of the launcher with its value in its name',
      () => call(program, 'launcherArgs', { 'mpi=pmix': true }),
      "DSL1001 .launcherArgs(): the name of an option cannot be 'mpi=pmix': it is one word without '='",
    ],
    [
      'a list for an option of the launcher',
      () => call(program, 'launcherArgs', { x: [1] }),
      "DSL1001 .launcherArgs(): 'x' cannot be [1]: a text, a number or a boolean is needed",
    ],
    [
      'variables that are none',
      () => call(program, 'env', null),
      'DSL1001 .env(): its variables cannot be null: Invalid input: expected record, received null',
    ],
    [
      'a text for a program',
      () => call(program, 'mpmd', './ice'),
      "DSL1001 .mpmd(): './ice' is no command | write command('./program', 'argument')",
    ],
    ['no program', () => call(program, 'mpmd'), 'DSL1001 .mpmd() needs at least one command'],
    [
      'a program with what is the whole launch’s',
      () => call(program, 'mpmd', command('a').launcher('srun').walltime('00:10:00'), command('b').mpmd(command('c'))),
      "DSL1014 .mpmd(): 'a' has a launcher of its own, and all programs of a launch share one | say it of the command that .mpmd() is called on",
      "DSL1014 .mpmd(): 'a' has a walltime of its own, and all programs of a launch share one | say it of the command that .mpmd() is called on",
      "DSL1014 .mpmd(): 'b' has further programs itself | name all programs in one .mpmd()",
    ],
    [
      'a problem of one of its programs',
      () => call(program, 'mpmd', command('a').tasks(0)),
      'DSL1001 .tasks(): its number cannot be 0: it has to be at least 1',
    ],
    [
      'a text for a container',
      () => call(program, 'container', 'image.sif'),
      "DSL1001 .container(): 'image.sif' is no container | write apptainer('image.sif')",
    ],
    [
      'options of a container',
      () =>
        call(
          program,
          'container',
          untyped(apptainer)['call']?.(undefined, '', { binds: [], bind: ['data:/data'], pwd: 'work', args: 3 }),
        ),
      "DSL1007 .container() has no option 'binds' | did you mean 'bind'?",
      "DSL1001 .container(): the image cannot be '': it is empty",
      "DSL1001 .container(): bind cannot be ['data:/data']: each entry starts with '/' and holds no comma, → at [0]",
      'DSL1001 .container(): args cannot be 3: a text or a list of texts is needed',
      "DSL1001 .container(): pwd cannot be 'work': it starts with '/'",
    ],
    [
      'an object for an argument',
      () => untyped(command('run', {} as never)),
      'DSL1001 command(): its arguments cannot be [an object with nothing in it]: an argument is a text or a number, → at [0]',
    ],
  ]);
});

describe('parameters', () => {
  const params = (values: unknown, options?: unknown) => () => call(ensemble, 'params', values, options);
  check([
    ['none', params(null), 'DSL1008 .params(): null holds no parameters | write { NAME: value }'],
    [
      'lists of different lengths side by side',
      params({ A: [1, 2], B: [1, 2, 3], C: [1], D: 1 }, { strategy: 'step' }),
      "DSL1010 .params(): strategy 'step' takes one value of each parameter at a time, and their numbers differ: A has 2, B has 3 | give all lists one length, or one value; 'all-perm' runs every combination",
    ],
    [
      'more than there are',
      params({ A: [1, 2], B: [1, 2] }, { strategy: 'random', count: 5 }),
      'DSL1010 .params(): 5 of 4 combinations cannot be taken without taking one twice | count is at most 4',
    ],
    [
      'an unknown strategy',
      params({ A: [1] }, { strategy: 'all_perm' }),
      "DSL1001 .params(): strategy cannot be 'all_perm': it is one of 'all-perm', 'step', 'random' | did you mean 'all-perm'?",
    ],
    [
      'count and seed without meaning',
      params({ A: [1, 2] }, { strategy: 'step', count: 1, seed: 3 }),
      "DSL1001 .params(): strategy 'step' takes every value, so count has no meaning | leave count out, or use strategy 'random'",
      "DSL1001 .params(): seed belongs to strategy 'random', not to 'step'",
    ],
    [
      'a seed that is none',
      params({ A: [1] }, { strategy: 'random', seed: -1 }),
      'DSL1001 .params(): seed cannot be -1: it cannot be negative',
    ],
    [
      'an unknown option',
      params({ A: [1] }, { strat: 'step' }),
      "DSL1007 .params() has no option 'strat' | did you mean 'strategy'?",
    ],
    [
      'a strategy for a model',
      () => call(model, 'params', { A: 1 }, { strategy: 'step', count: 1 }),
      "DSL1007 .params(): strategy is for ensembles, and a model has one value a parameter | use .ensemble() to run each of a list's values",
      "DSL1007 .params(): count is for ensembles, and a model has one value a parameter | use .ensemble() to run each of a list's values",
    ],
    [
      'an argument that the user’s assignments do not have',
      params({ A: [1] }, { strategy: () => [{ B: 1 }], asArgs: ['A'] }),
      "DSL1008 .params(): asArgs names 'A', which is no parameter | its parameters are: B",
    ],
    [
      'a list in a member added by hand',
      () => call(ensemble, 'addModel', 'a', run, { params: { A: [1] } }),
      "DSL1008 .addModel(): A is a list, and a model has one value a parameter | use .ensemble() to run each of a list's values",
    ],
  ]);

  const returning = (result: unknown) => params({ A: [1, 2] }, { strategy: () => result });
  const hint = 'it returns a list with the parameters of each member: [{ TAU: 0.6 }, { TAU: 0.8 }]';
  const refused = (text: string) => `DSL1011 .params(): the strategy function returned ${text} | ${hint}`;
  check([
    ['nothing', returning(undefined), refused('undefined')],
    ['a promise', returning(Promise.resolve([])), refused('a promise, and it has to give its members at once')],
    ['no members', returning([]), refused('an empty list, so there would be no members')],
    ['a member that is none', returning([{ A: 1 }, 7]), refused('7 as member 1')],
    ['a list as a value', returning([{ A: [1] }]), refused('[1] as A of member 0')],
    ['a number that is none', returning([{ A: Number.NaN }]), refused('NaN as A of member 0')],
    ['a parameter too many', returning([{ A: 1 }, { A: 1, B: 2 }]), refused("a parameter 'B' that only member 1 has")],
    [
      'a parameter too few',
      returning([{ A: 1, B: 2 }, { A: 1 }]),
      refused("a parameter 'B' that member 0 has and member 1 has not"),
    ],
  ]);

  test('a strategy that throws, at the place it throws from', () => {
    const strategy = () => {
      throw new RangeError('no room');
    };
    const builder = call(ensemble, 'params', { A: [1] }, { strategy });
    expect(problemsOf(builder)).toEqual(['DSL1011 .params(): the function threw RangeError: no room']);
    const [problem] = builder[authoredExperiment].problems;
    const here = new Error('here').stack?.match(/problems\.test\.ts:(\d+)/)?.[1];
    expect(problem?.at?.line).toBe(Number(here) - 5);
  });

  test('a strategy that throws no error', () => {
    const strategy = () => {
      throw 'a text';
    };
    expect(problemsOf(call(ensemble, 'params', { A: [1] }, { strategy }))).toEqual([
      "DSL1011 .params(): the function threw 'a text'",
    ]);
  });
});

describe('an ensemble', () => {
  check([
    [
      'replicas that are no number',
      () => call(ensemble, 'replicas', 0),
      'DSL1001 .replicas(): their number cannot be 0: it has to be at least 1',
    ],
    [
      'replicas of a model',
      () => call(model, 'replicas', 2),
      'DSL1009 .replicas() describes an ensemble, and none is open here | call it after .ensemble()',
    ],
    [
      'a member of a model',
      () => call(model, 'addModel', 'a', run),
      'DSL1009 .addModel() describes an ensemble, and none is open here | call it after .ensemble()',
    ],
    [
      'a member without a command',
      () => call(ensemble, 'addModel', 'a'),
      "DSL1001 .addModel(): undefined is no command | write command('./program', 'argument')",
    ],
    [
      'a member without a name',
      () => call(ensemble, 'addModel', 'a b', run),
      'DSL1002 .addModel(): \'a b\' cannot be a name | names start with a letter, hold letters, digits, "_", "." and "-", and have at most 63 characters',
    ],
    [
      'a member with an unknown option',
      () => call(ensemble, 'addModel', 'a', run, { param: {} }),
      "DSL1007 .addModel() has no option 'param' | did you mean 'params'?",
    ],
  ]);
});

describe('stores', () => {
  const open = experiment('x');
  check([
    [
      'a colocated one that is both, and pinned twice to one CPU',
      () =>
        call(model, 'colocate', {
          tcp: true,
          uds: 'yes',
          socket: '/tmp/s',
          permissions: 0o700,
          pin: [0, 0],
          engine: 'Redis',
        }),
      "DSL1001 .colocate(): uds cannot be 'yes': Invalid input: expected boolean, received string",
      'DSL1001 .colocate(): socket belongs to uds, and this store uses tcp',
      'DSL1001 .colocate(): permissions belongs to uds, and this store uses tcp',
      'DSL1001 .colocate(): pin cannot be [0, 0]: each CPU is named once',
      "DSL1001 .colocate(): engine cannot be 'Redis': it is one of 'embedded', 'redis', 'data', 'redisai' | did you mean 'redis'?",
    ],
    [
      'a colocated one on a Unix socket with a port',
      () => call(model, 'colocate', { uds: true, port: 1, interface: 'lo' }),
      'DSL1001 .colocate(): port belongs to tcp, and this store uses uds',
      'DSL1001 .colocate(): interface belongs to tcp, and this store uses uds',
    ],
    [
      'a standalone one',
      () =>
        call(untyped(open), 'orchestrator', {
          shard: 3,
          shards: 0,
          hosts: 'n1',
          evictionPolicy: 'lru',
          checkpointSeconds: 0.5,
          restart: 1,
          saveAtEnd: [''],
        }),
      "DSL1007 .orchestrator() has no option 'shard' | did you mean 'shards'?",
      'DSL1001 .orchestrator(): shards cannot be 0: it has to be at least 1',
      "DSL1001 .orchestrator(): hosts cannot be 'n1': Invalid input: expected array, received string",
      "DSL1001 .orchestrator(): evictionPolicy cannot be 'lru': it is one of 'noeviction', 'allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'volatile-lru', 'volatile-lfu', 'volatile-random', 'volatile-ttl'",
      'DSL1001 .orchestrator(): restart cannot be 1: Invalid input: expected boolean, received number',
      "DSL1001 .orchestrator(): saveAtEnd cannot be ['']: it is empty, → at [0]",
      'DSL1001 .orchestrator(): checkpointSeconds cannot be 0.5: a whole number is needed',
    ],
    [
      'a job of its own that is divided by members',
      () => call(untyped(open.orchestrator()), 'batch', { mode: 'array', maxConcurrent: 4 }),
      "DSL1001 .batch(): mode is about an ensemble's members, and an orchestrator has none | leave out mode",
      "DSL1001 .batch(): maxConcurrent is about an ensemble's members, and an orchestrator has none | leave out maxConcurrent",
    ],
    [
      'what only applications have',
      () => call(call(untyped(open.orchestrator()), 'attach', {}), 'after', 'm'),
      'DSL1009 .attach() describes a model or an ensemble, and none is open here | call it after .model() or .ensemble()',
      'DSL1009 .after() describes a model, an ensemble or a Ray cluster, and none is open here | call it after .model(), .ensemble() or .rayCluster()',
    ],
    [
      'a setup of nothing',
      () => call(untyped(open), 'setup', {}),
      'DSL1009 .setup() describes an entity, and none is open here | call it after .model(), .ensemble(), .rayCluster() or .orchestrator()',
    ],
  ]);
});

describe('Ray clusters', () => {
  const cluster = untyped(experiment('x').rayCluster('ray'));
  check([
    [
      'arguments that the cluster gives itself',
      () =>
        call(untyped(experiment('x')), 'rayCluster', 'ray', {
          headArgs: ['--port=6379', '--redis-password=secret'],
          workerArgs: '--address=here:1',
        }),
      'DSL1001 .rayCluster(): headArgs cannot hold --port, which the cluster says itself | say port instead',
      "DSL1001 .rayCluster(): headArgs cannot hold --redis-password, which the cluster says itself | say auth: 'token' instead",
      'DSL1001 .rayCluster(): workerArgs cannot hold --address, which the cluster says itself | leave it out',
    ],
    [
      'options that there are not, and values that are none',
      () => call(untyped(experiment('x')), 'rayCluster', 'ray', { node: 3, nodes: 0, auth: 'tokens', setup: 'x' }),
      "DSL1007 .rayCluster() has no option 'node' | did you mean 'nodes'?",
      'DSL1001 .rayCluster(): nodes cannot be 0: it has to be at least 1',
      "DSL1001 .rayCluster(): auth cannot be 'tokens': it is one of 'token', 'none' | did you mean 'token'?",
      "DSL1001 .rayCluster() takes an object of options, not 'x'",
    ],
    [
      'what only programs have',
      () => call(call(call(cluster, 'attach', {}), 'params', {}), 'usesRay', 'ray'),
      ...['attach', 'params', 'usesRay'].map(
        (name) =>
          `DSL1009 .${name}() describes a model or an ensemble, and none is open here | call it after .model() or .ensemble()`,
      ),
    ],
    [
      'members of a job array',
      () => call(cluster, 'batch', { mode: 'array' }),
      "DSL1001 .batch(): mode is about an ensemble's members, and a Ray cluster has none | leave out mode",
    ],
  ]);
});

describe('ML models and scripts', () => {
  const source = mlFile('a.pb');
  const wantsNames =
    "DSL1012 .addMlModel(): ML model 'n' uses backend TF, which needs the names of its inputs and outputs";
  const wantsFunction = 'it takes symbolic tensors and returns one, or a list: (x) => x.mul(2).add(1)';
  check([
    [
      'TensorFlow without names',
      () => call(model, 'addMlModel', 'n', source, { backend: 'TF' }),
      `${wantsNames} | add inputs: [...] and outputs: [...]`,
    ],
    [
      'TensorFlow without outputs',
      () => call(model, 'addMlModel', 'n', source, { backend: 'TF', inputs: ['x'] }),
      `${wantsNames} | add outputs: [...]`,
    ],
    [
      'names that another backend knows',
      () => call(model, 'addMlModel', 'n', source, { backend: 'ONNX', inputs: ['x'], outputs: ['y'] }),
      "DSL1012 .addMlModel(): inputs is for backend TF, and 'n' uses ONNX | leave inputs out: the file has its names",
      "DSL1012 .addMlModel(): outputs is for backend TF, and 'n' uses ONNX | leave outputs out: the file has its names",
    ],
    [
      'a name twice',
      () => call(model, 'addMlModel', 'n', source, { backend: 'TF', inputs: ['x', 'x'], outputs: ['y'] }),
      "DSL1001 .addMlModel(): inputs cannot be ['x', 'x']: a name stands in it twice",
    ],
    [
      'an unknown backend',
      () => call(model, 'addMlModel', 'n', source, { backend: 'PYTORCH' }),
      "DSL1001 .addMlModel(): backend cannot be 'PYTORCH': it is one of 'ONNX', 'TORCH', 'TF', 'TFLITE' | did you mean 'TORCH'?",
    ],
    [
      'no backend',
      () => call(model, 'addMlModel', 'n', source),
      "DSL1001 .addMlModel(): ML model 'n' needs a backend | there are: ONNX, TORCH, TF, TFLITE",
    ],
    [
      'a path for a source',
      () => call(model, 'addMlModel', 'n', 'a.onnx', { backend: 'ONNX' }),
      "DSL1001 .addMlModel(): its source cannot be 'a.onnx' | write mlFile('model.onnx') or mlBytes(bytes)",
    ],
    [
      'an empty path',
      () => call(model, 'addScript', 's', scriptFile('')),
      "DSL1001 .addScript(): its source cannot be '' | write scriptFile('script.py') or scriptText('def …')",
    ],
    [
      'a script’s devices',
      () =>
        call(model, 'addScript', 's', scriptFile('s.py'), {
          device: 'CPU',
          devicesPerNode: 2,
          firstDevice: 1,
          devices: 1,
        }),
      "DSL1007 .addScript() has no option 'devices' | did you mean 'device'?",
      "DSL1001 .addScript(): devicesPerNode needs device 'GPU', not 'CPU'",
      "DSL1001 .addScript(): firstDevice needs device 'GPU', not 'CPU'",
    ],
    [
      'a text for a function',
      () => call(model, 'addFunction', 'f', 'def f(): ...'),
      `DSL1013 .addFunction(): 'def f(): ...' is no function | ${wantsFunction}`,
    ],
    [
      'a function that returns no tensor',
      () => call(model, 'addFunction', 'f', (_x: unknown) => 7),
      `DSL1013 .addFunction(): the function returned 7 | ${wantsFunction}`,
    ],
    [
      'a function that returns a promise',
      () => call(model, 'addFunction', 'f', async (x: unknown) => x),
      `DSL1013 .addFunction(): the function returned a promise | ${wantsFunction}`,
    ],
    [
      'a function that throws',
      () =>
        call(model, 'addFunction', 'f', (_x: unknown) => {
          throw new Error('no torch');
        }),
      'DSL1013 .addFunction(): the function threw Error: no torch',
    ],
  ]);
});

describe('order, nodes and setup', () => {
  check([
    [
      'an unknown event',
      () => call(model, 'after', 'm', 'start'),
      "DSL1001 .after(): the event cannot be 'start': it is one of 'started', 'completed', 'failed', 'ended' | did you mean 'started'?",
    ],
    [
      'a key that is none',
      () => call(model, 'after', 'm', { keys: 'a', orchestrator: 7 }),
      "DSL1007 .after() has no option 'keys' | did you mean 'key'?",
      'DSL1001 .after(): key cannot be undefined: Invalid input: expected string, received undefined',
      'DSL1001 .after(): orchestrator cannot be 7: Invalid input: expected string, received number',
    ],
    [
      'nothing to wait for',
      () => call(model, 'after', 'm', null),
      'DSL1001 .after() takes an object of options, not null',
      'DSL1001 .after(): key cannot be undefined: Invalid input: expected string, received undefined',
    ],
    [
      'nodes',
      () => call(model, 'requires', { memory: '512', gpus: 4, queue: 'a\nb' }),
      "DSL1007 .requires() has no option 'gpus' | did you mean 'gpusPerNode'?",
      "DSL1006 .requires(): '512' is no amount of memory | write a number and its unit: '512M', '8G', '1.5T'",
      String.raw`DSL1001 .requires(): queue cannot be 'a\nb': line breaks, double quotes and backslashes cannot stand in a directive, nor can an empty text`,
    ],
    [
      'nobody to share with',
      () => call(model, 'sharesNodesWith', ''),
      "DSL1001 .sharesNodesWith(): the name cannot be '': it is empty",
    ],
    [
      'modules',
      () => call(model, 'setup', { modules: [''], command: 'x' }),
      "DSL1007 .setup() has no option 'command' | did you mean 'commands'?",
      "DSL1001 .setup(): modules cannot be ['']: it is empty, → at [0]",
    ],
  ]);
});

describe('batch', () => {
  check([
    [
      'an unknown mode',
      () => call(ensemble, 'batch', { mode: 'seperate' }),
      "DSL1001 .batch(): mode cannot be 'seperate': it is one of 'packed', 'array', 'separate' | did you mean 'separate'?",
    ],
    [
      'mail',
      () =>
        call(call(ensemble, 'batch', { mail: { to: 'me you', event: 'end', events: ['ending'] } }), 'batch', {
          mail: { to: 'me', events: [] },
        }),
      "DSL1007 .batch(): mail has no option 'event' | did you mean 'events'?",
      "DSL1001 .batch(): mail's address cannot be 'me you': an address has no blanks",
      "DSL1001 .batch(): an entry of mail's events cannot be 'ending': it is one of 'begin', 'end', 'fail'",
      "DSL1001 .batch(): mail's events cannot be []: it is empty",
    ],
    [
      'directives',
      () =>
        call(ensemble, 'batch', {
          directives: { drop: ['--mem 8 9'], set: { '--a b c': 1, '--c': 'd\ne', '--f': true }, add: 1 },
        }),
      "DSL1007 .batch(): directives has no option 'add' | there are: drop, set",
      "DSL1001 .batch(): a flag to set cannot be '--a b c': it is a flag, or a flag and its resource: '-q', '-l walltime'",
      String.raw`DSL1001 .batch(): directive '--c' cannot be 'd\ne': line breaks, double quotes and backslashes cannot stand in a directive, nor can an empty text`,
      "DSL1001 .batch(): directive '--f' cannot be true: a text or a number is needed",
      "DSL1001 .batch(): directives' drop cannot be ['--mem 8 9']: it is a flag, or a flag and its resource: '-q', '-l walltime', → at [0]",
    ],
  ]);
});

test('no builder throws, whatever it is given', () => {
  const odd = [
    undefined,
    null,
    7,
    '',
    'x',
    true,
    Symbol('s'),
    1n,
    [],
    [null],
    {},
    { key: null },
    () => null,
    Object.create(null),
    Number.NaN,
  ];
  const prototypeOf = (builder: Untyped) => Object.getOwnPropertyNames(Object.getPrototypeOf(builder));
  for (const builder of [model, ensemble, program, untyped(experiment('x')), untyped(experiment('x').orchestrator())]) {
    for (const name of prototypeOf(builder).filter((method) => method !== 'constructor' && method !== 'apply')) {
      for (const first of odd) {
        for (const second of odd) {
          const result = call(builder, name, first, second, second);
          expect(authoredExperiment in result || authoredCommand in result, name).toBe(true);
        }
      }
    }
  }
});

test('the names that hints know are those that there are', () => {
  const methodsOf = (builder: object) =>
    Object.getOwnPropertyNames(Object.getPrototypeOf(builder)).filter((one) => one !== 'constructor');
  expect(new Set(vocabulary.experiment)).toEqual(new Set(methodsOf(experiment('x'))));
  expect(new Set(vocabulary.command)).toEqual(new Set(methodsOf(command('true'))));
  expect(new Set(vocabulary.exports)).toEqual(new Set(Object.keys(simwright)));
});
