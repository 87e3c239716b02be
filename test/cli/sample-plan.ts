import { type Entity, type Plan, planVersion } from '../../src/ir/index.js';
import { makeEntity, makeJob, makeModel, makeStore } from '../runtime/support/make-plan.js';

function entity(name: string, rest: Partial<Entity> = {}): Entity {
  return makeEntity({ name, job: 'flow', ...rest });
}

const surrogate = makeModel({
  name: 'surrogate',
  artifact: 'artifacts/x/surrogate.onnx',
  device: 'GPU',
  devicesPerNode: 2,
});

/** A plan with two jobs, every kind of edge, names that need quoting, and a reader that two entities stand before. */
export const samplePlan: Plan = {
  version: planVersion,
  simwright: '0.1.0',
  experiment: 'flow <&> "heat"',
  workflow: 'workflow.ts',
  site: 'slurm',
  target: 'slurm',
  nodeCommand: 'node',
  blocks: {},
  jobs: [
    makeJob({
      name: 'flow',
      allocation: { nodes: 2, exclusive: false },
      stores: ['orchestrator'],
      entities: ['mesh', 'sweep', 'watch', 'report'],
    }),
    makeJob({ name: 'archive', entities: ['pack'], after: [{ job: 'flow', event: 'completed' }] }),
  ],
  stores: [makeStore({ name: 'orchestrator', mlModels: [surrogate] })],
  entities: [
    entity('mesh'),
    entity('sweep', {
      kind: 'ensemble',
      members: { strategy: 'all-perm', axes: [{ name: 'RE', values: [100, 400, 1000] }], replicas: 1, count: 3 },
      after: [{ name: 'mesh', event: 'completed' }],
      incoming: ['sweep', 'mesh'],
      stores: ['orchestrator'],
      size: { nodes: 2, tasks: 8, tasksPerNode: 4, cpusPerTask: 2 },
    }),
    entity('watch', {
      after: [{ name: 'sweep', key: 'sweep_0.velocity', store: 'orchestrator' }],
      incoming: ['sweep_0'],
      stores: ['orchestrator'],
      sharesNodesWith: 'sweep',
    }),
    entity('report', {
      after: [
        { name: 'mesh', event: 'completed' },
        { name: 'watch', event: 'ended' },
      ],
    }),
    entity('pack', { job: 'archive', after: [{ name: 'report', event: 'completed' }] }),
  ],
};
