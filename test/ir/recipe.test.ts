import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSite, compile } from '../../src/compiler/index.js';
import { command, experiment, mlBytes, scriptText } from '../../src/dsl/index.js';
import {
  type AuthoredExperiment,
  authoredExperiment,
  type Entity,
  memberDigest,
  Plan,
  whyNumberMatters,
} from '../../src/ir/index.js';

const model = readFileSync(new URL('../runtime/orchestrator/models/double.onnx', import.meta.url));
const local = checkSite({ name: 'local', target: 'local' }, 'local', undefined);
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'simwright-recipe-'));
  writeFileSync(join(folder, 'in.bar'), 'kappa = ;KAPPA;\n');
  writeFileSync(join(folder, 'in.changed'), 'kappa = ;KAPPA;\n# a comment\n', { mode: 0o600 });
  writeFileSync(join(folder, 'numbered.py'), "import os\nprint(os.environ['SIMWRIGHT_MEMBER'])\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function planOf(given: AuthoredExperiment) {
  const { plan } = compile({ ...given[authoredExperiment], file: join(folder, 'workflow.ts') }, local);
  const entity = plan.entities.find(({ name }) => name === 'bar');
  if (entity === undefined) throw new Error('no bar');
  return { plan, entity };
}

/** Digest of a member of `bar`. */
function digest(given: AuthoredExperiment, index = 0): string {
  const { plan, entity } = planOf(given);
  return memberDigest(plan, entity, index);
}

const sh = (...args: string[]) => command('sh', '-c', ...args);
const start = () => experiment('e').ensemble('bar', sh('true'));
const values = { KAPPA: [0.1, 0.5], NX: 10 };
const bar = () =>
  start()
    .params(values)
    .attach({ configure: ['in.bar'] });
const waiting = () =>
  experiment('e')
    .model('foo', sh('false'))
    .ensemble('bar', sh('true'))
    .params(values)
    .attach({ configure: ['in.bar'] })
    .registerIncomingEntity('bar', 'foo')
    .after('foo');
const cnn = (options: object = {}, bytes: Uint8Array = model) =>
  experiment('e')
    .orchestrator()
    .ensemble('bar', sh('true'))
    .addMlModel('cnn', mlBytes(bytes), { backend: 'ONNX', ...options });

describe('the digest of a member', () => {
  test.each<[string, AuthoredExperiment]>([
    ['its own job, walltime, account and queue', bar().batch({ walltime: '01:00:00', account: 'a', queue: 'q' })],
    ['nodes, memory and its own walltime', start2(sh('true').walltime('00:10:00').memoryPerNode('1G'))],
    ['CPUs a task', start2(sh('true').cpusPerTask(2))],
    ['the launcher', start2(sh('true').launcher('none'))],
    ['what it waits for and reads', waiting()],
    ['other entities', bar().model('foo', sh('false'))],
    [
      'more values behind those there are',
      start()
        .params({ KAPPA: [0.1, 0.5, 1], NX: 10 })
        .attach({ configure: ['in.bar'] }),
    ],
    [
      'the order of its parameters',
      start()
        .params({ NX: 10, KAPPA: [0.1, 0.5] })
        .attach({ configure: ['in.bar'] }),
    ],
    ['key prefixing where it sees no store', bar().disableKeyPrefixing()],
  ])('does not cover %s', (_what, other) => {
    expect(digest(other)).toBe(digest(bar()));
  });

  function start2(line: ReturnType<typeof sh>) {
    return experiment('e')
      .ensemble('bar', line)
      .params(values)
      .attach({ configure: ['in.bar'] });
  }

  test.each<[string, AuthoredExperiment]>([
    [
      'its assignment',
      start()
        .params({ ...values, NX: 20 })
        .attach({ configure: ['in.bar'] }),
    ],
    [
      'a number that has become a text',
      start()
        .params({ ...values, NX: '10' })
        .attach({ configure: ['in.bar'] }),
    ],
    [
      'a parameter more',
      start()
        .params({ ...values, X: 1 })
        .attach({ configure: ['in.bar'] }),
    ],
    [
      'parameters that become words',
      start()
        .params(values, { asArgs: ['NX'] })
        .attach({ configure: ['in.bar'] }),
    ],
    ['an argument', start2(sh('false'))],
    ['tasks', start2(sh('true').tasks(2).launcher('mpirun'))],
    ['the environment', start2(sh('true').env({ A: '1' }))],
    ['its setup', bar().setup({ commands: ['true'] })],
    [
      'a template as a plain copy',
      start()
        .params(values)
        .attach({ copy: ['in.bar'] }),
    ],
    [
      'a file more',
      start()
        .params(values)
        .attach({ configure: ['in.bar'], copy: ['in.changed'] }),
    ],
    [
      'the tag',
      start()
        .params(values)
        .attach({ configure: ['in.bar'], tag: '@' }),
    ],
  ])('covers %s', (_what, other) => {
    expect(digest(other)).not.toBe(digest(bar()));
  });

  test('covers the content of files', () => {
    const before = digest(bar());
    writeFileSync(join(folder, 'in.bar'), readFileSync(join(folder, 'in.changed')));
    expect(digest(bar())).not.toBe(before);
    writeFileSync(join(folder, 'in.bar'), 'kappa = ;KAPPA;\n');
    expect(digest(bar())).toBe(before);
  });

  test('is the same under another index, and for replicas', () => {
    const more = start()
      .params({ KAPPA: [0.1, 0.3, 0.5], NX: 10 })
      .attach({ configure: ['in.bar'] });
    expect(digest(more, 2)).toBe(digest(bar(), 1));
    expect(digest(more, 1)).not.toBe(digest(bar(), 1));
    expect(digest(bar().replicas(2), 3)).toBe(digest(bar(), 1));
  });

  test('covers ML models and scripts by content and by what changes answers', () => {
    const before = digest(cnn());
    expect(digest(cnn({ device: 'CPU', batchSize: 8, tag: 'v2' }))).toBe(before);
    const other = Buffer.from(model);
    const place = other.indexOf('double');
    if (place >= 0) other.write('DOUBLE', place);
    else other[other.length - 1] = (other.at(-1) ?? 0) ^ 0;
    if (place >= 0) expect(digest(cnn({}, other))).not.toBe(before);
    expect(digest(experiment('e').orchestrator().ensemble('bar', sh('true')))).not.toBe(before);
    const scripted = (text: string) =>
      experiment('e').orchestrator().ensemble('bar', sh('true')).addScript('s', scriptText(text));
    expect(digest(scripted('def f(x):\n    return x\n'))).not.toBe(digest(scripted('def f(x):\n    return 2 * x\n')));
  });

  test('of members added by hand covers their own commands and variables', () => {
    const added = (second: ReturnType<typeof sh>) =>
      experiment('e').ensemble('bar', sh('true')).addModel('a', sh('1')).addModel('b', second);
    expect(digest(added(sh('3')), 0)).toBe(digest(added(sh('2')), 0));
    expect(digest(added(sh('3')), 1)).not.toBe(digest(added(sh('2')), 1));
    expect(digest(added(sh('2').env({ A: '1' })), 1)).not.toBe(digest(added(sh('2')), 1));
  });
});

describe('a number matters', () => {
  const reason = (given: AuthoredExperiment) => whyNumberMatters(planOf(given).entity);
  test.each<[string | undefined, () => AuthoredExperiment]>([
    [undefined, bar],
    ['command holds {name}', () => experiment('e').ensemble('bar', command('echo', '{name}')).replicas(2)],
    ['command holds {dir}', () => experiment('e').ensemble('bar', command('echo', '{dir}')).replicas(2)],
    // The word itself, not what stands for it.
    [undefined, () => experiment('e').ensemble('bar', command('echo', '{{name}}')).replicas(2)],
    ['command holds SIMWRIGHT_MEMBER', () => experiment('e').ensemble('bar', sh('echo $SIMWRIGHT_MEMBER')).replicas(2)],
    [
      'file numbered.py reads their number',
      () =>
        experiment('e')
          .ensemble('bar', command('python3', 'numbered.py'))
          .attach({ copy: ['numbered.py'] })
          .replicas(2),
    ],
    [
      'keys in the store begin with their name',
      () => experiment('e').orchestrator().ensemble('bar', sh('true')).replicas(2),
    ],
    [undefined, () => experiment('e').orchestrator().ensemble('bar', sh('true')).replicas(2).disableKeyPrefixing()],
  ])('%s', (why, given) => {
    expect(reason(given())).toBe(why);
  });
});

describe('members that completed under a plan of version 2', () => {
  test.each([
    ['examples/cavity', 'cavity', 5, '61b07f2bf6f747ba'],
    ['fixtures/workflows/added-members', 'solvers', 1, 'e68c12dec046011a'],
    ['fixtures/workflows/adversarial', 'E.-_', 5, 'e5a5b5fd5f1c3dc0'],
    ['fixtures/workflows/attached-templates', 'cavity', 1, '6b2872aec6f20c87'],
    ['fixtures/workflows/colocated-uds', 'sweep', 2, 'b006380e3953f823'],
    ['fixtures/workflows/container', 'solver', 0, 'f7f6dd619cee42d5'],
    ['fixtures/workflows/mpmd', 'climate', 0, '9589ea2d375b2fff'],
    ['fixtures/workflows/online-analysis', 'simulation', 0, '835fde1ded336182'],
  ])('are recognised: %s, %s_%i', (workflow, name, index, digest) => {
    const file = new URL(`../../${workflow}/expected/slurm/plan.json`, import.meta.url);
    const plan = Plan.parse(JSON.parse(readFileSync(file, 'utf8')));
    const entity = plan.entities.find((one) => one.name === name) as Entity;
    expect(memberDigest(plan, entity, index)).toBe(digest);
  });
});
