import { type Entity, type Job, type Plan, planVersion, type Store } from '../../src/ir/index.js';

const one = { strategy: 'all-perm', axes: [], replicas: 1, count: 1 } as const;

function entity(name: string, rest: Partial<Entity> = {}): Entity {
  return {
    kind: 'model',
    name,
    job: 'flow',
    members: { ...one, axes: [] },
    commands: [[{ words: ['true'], tasks: 1 }]],
    launch: { lines: [{ words: ['true'], breaks: [0] }] },
    mlModels: [],
    scripts: [],
    asArgs: [],
    files: [],
    env: {},
    keyPrefixing: false,
    incoming: [],
    after: [],
    component: 0,
    stores: [],
    size: { nodes: 1, tasks: 1, cpusPerTask: 1 },
    ...rest,
  };
}

function job(name: string, rest: Partial<Job> = {}): Job {
  return {
    name,
    script: `jobs/${name}.sbatch`,
    allocation: { nodes: 1, exclusive: false },
    components: [],
    directives: [[]],
    graceSeconds: 60,
    modules: [],
    preamble: [],
    stores: [],
    entities: [],
    after: [],
    ...rest,
  };
}

const limits = { suffix: '', engine: 'embedded', cpus: 1, scripts: [] } as const;

const orchestrator: Store = {
  ...limits,
  kind: 'standalone',
  name: 'orchestrator',
  scripts: [],
  mlModels: [
    {
      name: 'surrogate',
      artifact: 'artifacts/x/surrogate.onnx',
      backend: 'ONNX',
      device: 'GPU',
      devicesPerNode: 2,
      firstDevice: 0,
      batchSize: 0,
      minBatchSize: 0,
      minBatchTimeoutMs: 0,
      tag: '',
    },
  ],
  port: 0,
  scope: 'loopback',
  shards: 1,
  restart: false,
  saveAtEnd: [],
  component: 0,
  launch: [],
};

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
    job('flow', {
      allocation: { nodes: 2, exclusive: false },
      stores: ['orchestrator'],
      entities: ['mesh', 'sweep', 'watch', 'report'],
    }),
    job('archive', { entities: ['pack'], after: [{ job: 'flow', event: 'completed' }] }),
  ],
  stores: [orchestrator],
  entities: [
    entity('mesh'),
    entity('sweep', {
      kind: 'ensemble',
      members: { strategy: 'all-perm', axes: [{ name: 'RE', values: [100, 400, 1000] }], replicas: 1, count: 3 },
      after: [{ name: 'mesh', event: 'completed' }],
      incoming: ['sweep', 'mesh'],
      stores: ['orchestrator'],
      size: { nodes: 2, tasks: 8, cpusPerTask: 2 },
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
