import { describe, expect, test } from 'vitest';
import { command, experiment, mlBytes, mlFile } from '../../src/dsl/index.js';
import { authoredCommand, authoredExperiment, ExperimentDeclaration } from '../../src/ir/index.js';

const declared = (builder: { readonly [authoredExperiment]: { readonly declaration: ExperimentDeclaration } }) =>
  builder[authoredExperiment].declaration;

describe('builders', () => {
  test('are immutable: half an experiment is extended twice', () => {
    const half = experiment('e').model('a', command('true'));
    const [one, two] = [half.model('b', command('x')), half.after('a').ensemble('c', command('y'))];
    expect(declared(half).entities.map(({ name }) => name)).toEqual(['a']);
    expect(declared(one).entities.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(declared(two).entities.map(({ name }) => name)).toEqual(['a', 'c']);
    expect(one.model).toBe(half.model);
  });

  test('freeze what they record', () => {
    const axis = [1, 2];
    const built = experiment('e').ensemble('a', command('true')).params({ A: axis });
    axis.push(3);
    const [entity] = declared(built).entities;
    const values = entity?.kind === 'ensemble' ? entity.params?.values : undefined;
    expect(values).toEqual({ A: [1, 2] });
    expect([entity, values, values?.['A']].every((value) => Object.isFrozen(value))).toBe(true);
  });

  test('make declarations of the schema', () => {
    const built = experiment('e')
      .batch({ nodes: 2, walltime: 'PT1H', memory: '1G', modules: ['gcc'], maxConcurrent: 2 })
      .orchestrator({ port: 6780, maxMemory: '2G' })
      .ensemble('a', command('true', 1, 'x').tasks(2).env({ A: 1, B: true }).env({ A: 'two' }))
      .params({ A: ['x', 1, true] }, { asArgs: ['A'] })
      .attach({ copy: 'a', configure: ['b'], tag: '@' })
      .addMlModel('m', mlFile('m.onnx'), { backend: 'ONNX', device: 'GPU', devicesPerNode: 2 })
      .addMlModel('n', mlBytes(new Uint8Array([1])), { backend: 'ONNX' })
      .registerIncomingEntity('a')
      .disableKeyPrefixing()
      .model('b', command('true'))
      .colocate({ tcp: true, port: 1, cpus: 2, id: 'x' })
      .enableKeyPrefixing()
      .after('a_0', 'failed');
    expect(ExperimentDeclaration.parse(declared(built))).toEqual(declared(built));
    expect(built[authoredExperiment].problems).toEqual([]);
  });

  test('remember the place of each call', () => {
    const first = experiment('e');
    const second = first.model('a', command('true'));
    const third = second.params({ A: 1 });
    const [model] = declared(third).entities;
    const at = declared(third).at;
    const places = model?.kind === 'model' ? [model.at, model.command.at, model.params?.at] : [];
    expect(places.map((place) => [(place?.line ?? 0) - (at?.line ?? 0), place?.column])).toEqual([
      [1, 26],
      [1, 37],
      [2, 26],
    ]);
  });
});

test('a command is a value: each call makes another', () => {
  const base = command('./lbm', '--steps', 3);
  const large = base
    .tasks(32)
    .nodes(2)
    .tasksPerNode(16)
    .cpusPerTask(2)
    .gpusPerTask(1)
    .gpusPerNode(4)
    .memoryPerNode('8G')
    .walltime('PT1H');
  expect(base[authoredCommand].declaration).toMatchObject({ executable: './lbm', args: ['--steps', '3'] });
  expect(base[authoredCommand].declaration.tasks).toBeUndefined();
  expect(large[authoredCommand].declaration).toMatchObject({
    tasks: 32,
    nodes: 2,
    tasksPerNode: 16,
    cpusPerTask: 2,
    gpusPerTask: 1,
    gpusPerNode: 4,
    memoryPerNodeMiB: 8192,
    walltimeSeconds: 3600,
  });
});
