import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  command,
  experiment,
  mlBytes,
  mlFile,
  type OrchestratorOptions,
  scriptFile,
  scriptText,
} from '../../src/index.js';
import { targets } from '../../src/targets/registry.js';
import {
  compileFor,
  entityOf,
  lint,
  messagesOf,
  problemsOf,
  runtimeLines,
  scriptOf,
  targetNames,
  textsOf,
} from './support/compile-experiment.js';
import { root } from './support/compile-fixture.js';

const models = join(root, 'test/model-files/models');
const folder = mkdtempSync(join(tmpdir(), 'simwright-stores-'));
writeFileSync(join(folder, 'ops.py'), 'def twice(x): return x + x\n');

describe('a store with a job of its own', () => {
  const cluster = experiment('e')
    .orchestrator({
      name: 'db',
      shards: 3,
      engine: 'redis',
      evictionPolicy: 'allkeys-lru',
      checkpointSeconds: 60,
      restart: true,
    })
    .batch({ walltime: '02:00:00' })
    .setup({ modules: ['redis'] })
    .model('producer', command('p'))
    .model('consumer', command('c'))
    .batch({ nodes: 2 });

  test('holds until its users have ended; they start when it runs', () => {
    const { plan } = compileFor('slurm', cluster);
    const [job] = plan.jobs;
    expect(job).toMatchObject({ name: 'db', stores: ['db'], entities: [], after: [], allocation: { nodes: 3 } });
    expect(plan.jobs.slice(1).map(({ name, after }) => [name, after])).toEqual([
      ['e', [{ job: 'db', event: 'started' }]],
      ['consumer', [{ job: 'db', event: 'started' }]],
    ]);
    expect(plan.stores[0]).toMatchObject({
      engine: 'redis',
      shards: 3,
      scope: 'network',
      evictionPolicy: 'allkeys-lru',
      checkpointSeconds: 60,
      restart: true,
      saveAtEnd: [],
    });
    const compiled = compileFor('slurm', cluster);
    expect(runtimeLines(scriptOf(compiled, 'db'))).toEqual([
      'runtime up db -- srun -J db --nodes=3 --ntasks=3 --ntasks-per-node=1 --cpus-per-task=1 --mem=0 --overlap --kill-on-bad-exit=1',
      'runtime hold db & launched+=($!)',
    ]);
    expect(lint(compiled)).toBe('');
  });

  test.each(targetNames.filter((name) => targets[name].capabilities.jobEvents.includes('started')))(
    'is bash without a finding for %s',
    (target) => {
      expect(lint(compileFor(target, cluster))).toBe('');
    },
  );

  test('at home is in one job with all that use it', () => {
    expect(compileFor('local', cluster).plan.jobs.map(({ name, stores }) => [name, stores])).toEqual([['e', ['db']]]);
  });

  test('one in the main job is not seen by other jobs', () => {
    const open = experiment('e').orchestrator().model('m', command('x')).batch({});
    expect(messagesOf('slurm', open)).toEqual([
      "STORE1003 'm' is a job of its own, and store 'orchestrator' lives in the experiment's job",
    ]);
  });
});

describe('shards and engines', () => {
  const store = (options: OrchestratorOptions) => experiment('e').orchestrator(options).model('m', command('x'));

  test('of several the engine is redis, unless someone says', () => {
    expect(compileFor('slurm', store({ shards: 3 })).plan.stores[0]?.engine).toBe('redis');
    const site = { name: 's', target: 'slurm' as const, engine: 'redisai' as const };
    expect(compileFor(site, store({})).plan.stores[0]?.engine).toBe('redisai');
    expect(compileFor(site, store({ engine: 'embedded' })).plan.stores[0]?.engine).toBe('embedded');
  });

  test('that cannot be are refused', () => {
    expect(messagesOf('slurm', store({ shards: 2, interface: 'lo' }))).toEqual([
      "STORE1004 .orchestrator(): store 'orchestrator' listens on 'lo' of 2 nodes, which the others cannot reach",
    ]);
    expect(messagesOf('slurm', store({ shards: 3, engine: 'embedded' }))[0]).toContain('the embedded engine has one');
    expect(messagesOf('slurm', store({ shards: 3, nodes: 4 }))[0]).toContain('has 3 shards for 4 nodes');
    expect(messagesOf('slurm', store({ shards: 3, hosts: ['a'] }))[0]).toContain('names 1 hosts for 3 nodes');
    expect(messagesOf('slurm', store({ replicas: 1 }))[0]).toContain('has one shard, and replicas belong to several');
    expect(messagesOf('slurm', store({ shards: 100_000 }))[0]).toContain('a Redis Cluster 16384 slots at most');
    expect(messagesOf('slurm', store({ shards: 3, nodes: 1, replicas: 1, port: 65_533 }))[0]).toContain(
      'has 6 servers on a node, and 3 ports from 65533 on',
    );
    expect(messagesOf('slurm', store({ shards: 2, port: 65_535 }))).toEqual([]);
    expect(messagesOf('slurm', store({ shards: 2, replicas: 2 as 1 }))[0]).toContain('write 0 or 1');
  });

  test('may have replicas, each with the CPUs of a server, on the node after that of its shard', () => {
    const { plan } = compileFor('slurm', store({ shards: 3, replicas: 1, cpus: 4 }));
    expect(plan.stores[0]).toMatchObject({ shards: 3, replicas: 1, nodes: 3 });
    expect(plan.stores[0]?.launch.join(' ')).toContain('--cpus-per-task=8');
    expect(plan.jobs[0]?.directives[0]).toContainEqual({ flag: '--no-kill' });
    expect(compileFor('slurm', store({ shards: 3, replicas: 0 })).plan.stores[0]).not.toHaveProperty('replicas');
    const { warnings } = compileFor('slurm', store({ shards: 3, replicas: 1, nodes: 1 }));
    expect(warnings.map(({ code, message }) => `${code} ${message}`)).toContainEqual(
      expect.stringMatching(/^STORE1007 .*they outlive the death of a server, not that of the node$/),
    );
  });
});

const one = 'def f(x):\n    return x\n';
const two = 'def f(x):\n    return -x\n';

describe('what stores load', () => {
  test('are ML models of every backend, and scripts', () => {
    const open = experiment('e')
      .orchestrator()
      .model('m', command('x'))
      .addMlModel('tf', mlFile(join(models, 'frozen.pb')), { backend: 'TF', inputs: ['x'], outputs: ['Identity'] })
      .addMlModel('torch', mlBytes(readFileSync(join(models, 'traced.pt'))), {
        backend: 'TORCH',
        device: 'GPU',
        devicesPerNode: 2,
        firstDevice: 1,
      })
      .addScript('ops', scriptFile(join(folder, 'ops.py')), { device: 'GPU' })
      .addScript('inline', scriptText('def f(x): return x'));
    const compiled = compileFor('slurm', open);
    const [store] = compiled.plan.stores;
    expect(store?.mlModels.map(({ name, backend, inputs }) => [name, backend, inputs])).toEqual([
      ['tf', 'TF', ['x']],
      ['torch', 'TORCH', undefined],
    ]);
    expect(store?.scripts.map(({ name, device }) => [name, device])).toEqual([
      ['ops', 'GPU'],
      ['inline', 'CPU'],
    ]);
    const paths = compiled.files.map(({ path }) => path);
    for (const { artifact } of [...(store?.mlModels ?? []), ...(store?.scripts ?? [])])
      expect(paths).toContain(artifact);
    // GPUs 1 and 2 of a node are there only if it has three.
    expect(compiled.plan.jobs[0]?.allocation.gpusPerNode).toBe(3);
    const site = { name: 's', target: 'slurm' as const, node: { gpus: 2 } };
    expect(messagesOf(site, open)).toContain(
      "PLAN1001 .addMlModel('torch') needs GPU 2, counted from 0, and site 's' has 2 a node",
    );
  });

  test('a missing file, a folder and a name twice are refused', () => {
    const open = experiment('e')
      .orchestrator()
      .model('m', command('x'))
      .addMlModel('a', mlFile(join(folder, 'no.pt')), { backend: 'TORCH' })
      .addScript('b', scriptFile(folder))
      .addScript('c', scriptText(one))
      .addScript('c', scriptText(two));
    expect(messagesOf('slurm', open)).toEqual([
      `FILE1001 .addMlModel('a'): there is no file ${join(folder, 'no.pt')}`,
      `FILE1003 .addScript('b'): ${folder} is no file`,
      "DSL1003 'm' has two scripts named 'c'",
    ]);
  });

  test('scripts are parsed: errors at their place in the file, and warnings of what needs PyTorch', () => {
    const file = join(folder, 'broken.py');
    writeFileSync(file, 'def f(x):\n    return y\n');
    const needy = join(folder, 'needy.py');
    writeFileSync(needy, 'def f(x):\n    u, s, v = x.svd()\n    return u, s, v\n');
    const open = experiment('e')
      .orchestrator()
      .model('m', command('x'))
      .addScript('a', scriptFile(file))
      .addScript('b', scriptText('def f(x)\n    return x\n'))
      .addScript('c', scriptFile(needy));
    const problems = problemsOf('slurm', open);
    expect(problems.map(({ code, severity, message }) => `${severity} ${code} ${message}`).sort()).toEqual([
      "error ML1012 .addScript('a'): undefined value y",
      "error ML1012 .addScript('b'): line 1, column 9: invalid syntax at the end of the line",
      "warning ML1013 .addScript('c'): the method 'svd' of tensors needs PyTorch",
    ]);
    expect(problems.find(({ at }) => at?.file === file)?.at).toEqual({ file, line: 2, column: 12 });
    expect(problems.find(({ at }) => at?.file === needy)?.at).toEqual({ file: needy, line: 2, column: 17 });
  });

  test('two entities may give a store the same script, and not two of one name', () => {
    const give = (text: string) =>
      experiment('e')
        .orchestrator()
        .model('m', command('x'))
        .addScript('s', scriptText(one))
        .model('n', command('y'))
        .addScript('s', scriptText(text));
    expect(messagesOf('slurm', give(one))).toEqual([]);
    expect(messagesOf('slurm', give(two))).toEqual([
      "DSL1003 .addScript('s'): 'm' gives store 'orchestrator' another script of that name",
    ]);
  });
});

describe('a key that is waited for', () => {
  const stores = experiment('e').orchestrator().orchestrator({ name: 'second' });

  test('is in the only store that both see', () => {
    const open = experiment('e')
      .orchestrator()
      .model('m', command('x'))
      .model('n', command('y'))
      .after('m', { key: 'ready' });
    const { plan } = compileFor('slurm', open);
    expect(entityOf(plan, 'n').after).toEqual([{ name: 'm', key: 'ready', store: 'orchestrator' }]);
    // It waits for no end, so both have their CPUs.
    expect(plan.jobs[0]?.allocation.cpusPerNode).toBe(3);
  });

  test('is in the store that is named', () => {
    const open = stores
      .model('m', command('x'))
      .model('n', command('y'))
      .after('m', { key: 'k', orchestrator: 'second' });
    expect(entityOf(compileFor('slurm', open).plan, 'n').after).toEqual([{ name: 'm', key: 'k', store: 'second' }]);
  });

  test('is refused where the store cannot be told', () => {
    const two = stores.model('m', command('x')).model('n', command('y'));
    expect(messagesOf('slurm', two.after('m', { key: 'k' }))).toEqual([
      "REF1004 .after('m', { key: 'k' }): 'n' and 'm' see 2 stores together",
    ]);
    expect(messagesOf('slurm', two.after('m', { key: 'k', orchestrator: 'secnd' }))).toEqual([
      "REF1004 .after('m', { key: 'k' }): 'n' and 'm' see no store named 'secnd' together",
    ]);
    const none = experiment('e').model('m', command('x')).model('n', command('y')).after('m', { key: 'k' });
    expect(messagesOf('slurm', none)[0]).toContain('see no store together');
  });

  test('between jobs waits for the start of the other', () => {
    const open = experiment('e')
      .orchestrator()
      .batch({})
      .model('m', command('x'))
      .model('n', command('y'))
      .after('m', { key: 'k' })
      .batch({});
    expect(compileFor('slurm', open).plan.jobs.find(({ name }) => name === 'n')?.after).toEqual([
      { job: 'orchestrator', event: 'started' },
      { job: 'e', event: 'started' },
    ]);
  });
});

describe('a site', () => {
  const open = experiment('e').model('m', command('x'));

  test('replaces single blocks of the template', () => {
    const site = {
      name: 's',
      target: 'slurm' as const,
      blocks: { environment: 'ulimit -s unlimited\n{{ super() }}', launches: '{{ super() }}\necho "all started"' },
    };
    const compiled = compileFor(site, open);
    const script = scriptOf(compiled, 'e');
    expect(script).toContain('\nulimit -s unlimited\n');
    expect(script).toContain('SIMWRIGHT_JOB=e\n');
    expect(script).toMatch(/launched\+=\(\$!\)\n\s*echo "all started"\nawait_launches/);
    expect(lint(compiled)).toBe('');
  });

  test('is told of blocks that there are not, and of text that cannot be rendered', () => {
    const site = (blocks: Record<string, string>) => ({ name: 's', target: 'slurm' as const, blocks });
    expect(messagesOf(site({ enviroment: 'x', nothing: 'y' }), open)).toEqual([
      "SITE1002 blocks: the script's template has no block 'enviroment'",
      "SITE1002 blocks: the script's template has no block 'nothing'",
    ]);
    expect(messagesOf(site({ stores: '{% if %}' }), open)[0]).toContain('SITE1002 blocks: they cannot be rendered');
  });

  test('says what jobs have unless they say themselves', () => {
    const defaults = { queue: 'work', account: 'abc', qos: 'normal', constraint: 'cpu', walltime: '1-02:00:00' };
    const script = scriptOf(compileFor({ name: 's', target: 'slurm', defaults }, open), 'e');
    for (const said of ['partition=work', 'account=abc', 'qos=normal', 'constraint=cpu', 'time=1-02:00:00']) {
      expect(script).toContain(`#SBATCH --${said}\n`);
    }
  });

  test('numbers members as far as numbers go', () => {
    const values = Array.from({ length: 2000 }, (_, index) => index);
    const axes = Object.fromEntries(['A', 'B', 'C', 'D', 'E'].map((name) => [name, values]));
    const many = experiment('e')
      .ensemble('s', command('x'))
      .params(axes, { strategy: 'random', count: 3, asArgs: Object.keys(axes) });
    expect(messagesOf('slurm', many)[0]).toContain("PLAN1005 's' has");
  });
});

test('a plan of a million members is as small as one of a hundred', () => {
  const size = (length: number) =>
    textsOf(compileFor('slurm', experiment('e').ensemble('s', command('x')).replicas(length)))['plan.json']?.length ??
    0;
  expect(size(1_000_000)).toBeLessThan(size(100) * 1.01);
});

describe('a store of a job whose script runs on another node', () => {
  const one = experiment('e').orchestrator().model('m', command('a').walltime('00:10:00'));

  test.each([
    ['lsf', 'jsrun', 1],
    ['cobalt', 'aprun', 2],
  ] as const)('%s: listens on the network, on a node that the job pays for', (target, launcher, nodes) => {
    const { plan } = compileFor(target, one);
    const [store] = plan.stores;
    expect(store).toMatchObject({ scope: 'network' });
    expect(store?.launch[0]).toBe(launcher);
    expect(plan.jobs[0]?.allocation.nodes).toBe(nodes);
  });

  test.each(['lsf', 'cobalt'] as const)('%s: cannot listen on the loopback', (target) => {
    const inside = experiment('e').orchestrator({ interface: 'lo' }).model('m', command('a').walltime('00:10:00'));
    expect(messagesOf(target, inside).join('\n')).toContain(
      "STORE1005 .orchestrator(): store 'orchestrator' is to listen on the loopback of its node",
    );
    const { plan } = compileFor('slurm', inside);
    expect(plan.stores[0]).toMatchObject({ scope: 'loopback' });
  });
});
