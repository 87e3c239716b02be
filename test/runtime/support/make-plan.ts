import { type Entity, type Job, Plan, type PreloadedModel, planVersion, type Store } from '../../../src/ir/index.js';

type EntityInput = Partial<Entity> & { readonly name: string; readonly params?: Record<string, (string | number)[]> };
type StoreInput = Partial<Store> & { readonly name: string };

/** A model's or an ensemble's plan with defaults: an ensemble if it has `params` with several values. */
export function makeEntity({ params = {}, ...given }: EntityInput): Entity {
  const axes = Object.entries(params).map(([name, values]) => ({ name, values }));
  const count = axes.reduce((product, axis) => product * axis.values.length, 1);
  return {
    kind: count > 1 ? 'ensemble' : 'model',
    job: 'main',
    members: { strategy: 'all-perm', axes, replicas: 1, count },
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
    group: 0,
    stores: [],
    size: { nodes: 1, tasks: 1, tasksPerNode: 1, cpusPerTask: 1 },
    ...given,
  };
}

/** An ONNX model that a store preloads on its CPU, without batching. */
export function makeModel(given: Partial<PreloadedModel> & Pick<PreloadedModel, 'name' | 'artifact'>): PreloadedModel {
  return {
    backend: 'ONNX',
    device: 'CPU',
    devicesPerNode: 1,
    firstDevice: 0,
    batchSize: 0,
    minBatchSize: 0,
    minBatchTimeoutMs: 0,
    tag: '',
    ...given,
  };
}

/** A store's plan with defaults: a standalone one on loopback, or a colocated one over TCP. */
export function makeStore(given: StoreInput): Store {
  const common = {
    suffix: '',
    engine: 'embedded',
    cpus: 1,
    mlModels: [],
    scripts: [],
    group: 0,
    launch: [],
  } as const;
  if (given.kind === 'colocated') {
    return { ...common, transport: { kind: 'tcp', port: 0 }, nodes: 1, ...given } as Store;
  }
  return {
    ...common,
    kind: 'standalone',
    port: 0,
    scope: 'loopback',
    shards: 1,
    nodes: 1,
    restart: false,
    saveAtEnd: [],
    ...given,
  } as Store;
}

/** A job of one node with defaults, `main`. */
export function makeJob(given: Partial<Job> = {}): Job {
  const { allocation = { nodes: 1, exclusive: false }, components = [] } = given;
  return {
    name: 'main',
    script: `jobs/${given.name ?? 'main'}.sbatch`,
    allocation,
    components,
    groups: [allocation, ...components].map(({ nodes }, component) => ({ component, first: 0, nodes })),
    directives: [[]],
    graceSeconds: 60,
    modules: [],
    preamble: [],
    stores: [],
    entities: [],
    after: [],
    ...given,
  };
}

/** A plan of one job, `main`, on `local`. Stores that no entity is given for have one that uses them. */
export function makePlan(
  entities: readonly EntityInput[],
  stores: readonly StoreInput[] = [],
  job: Partial<Job> = {},
): Plan {
  const users = entities.length > 0 ? entities : stores.slice(0, 1).map(({ name }) => ({ name: `user-of-${name}` }));
  return Plan.parse({
    version: planVersion,
    simwright: '0.1.0',
    experiment: 'test',
    workflow: 'workflow.ts',
    site: 'local',
    target: 'local',
    nodeCommand: 'node',
    blocks: {},
    jobs: [
      makeJob({
        script: 'jobs/main.sh',
        stores: stores.map(({ name }) => name),
        entities: users.map(({ name }) => name),
        ...job,
      }),
    ],
    stores: stores.map(makeStore),
    entities: users.map(makeEntity),
  });
}
