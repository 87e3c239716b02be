import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placementOf } from '../../../src/cli/placement/placement.js';
import { WorkflowError } from '../../../src/diagnostics/index.js';
import { command, experiment } from '../../../src/index.js';
import { type Allocation, type AuthoredExperiment, type Plan, TargetName } from '../../../src/ir/index.js';
import { compileFor } from '../support/compile-experiment.js';

/** A model of a workflow: `shares` and `reads` are indices of models. */
interface Model {
  readonly nodes: number;
  readonly tasksPerNode: number;
  readonly cpus: number;
  readonly gpus: number;
  readonly members: number;
  readonly colocates: boolean;
  readonly role: { readonly apart: boolean } | { readonly shares: number };
  readonly partner: number | undefined;
}

const model: fc.Arbitrary<Model> = fc.record({
  nodes: fc.integer({ min: 1, max: 3 }),
  tasksPerNode: fc.integer({ min: 1, max: 4 }),
  cpus: fc.integer({ min: 1, max: 3 }),
  gpus: fc.integer({ min: 0, max: 2 }),
  members: fc.constantFrom(1, 1, 1, 5),
  colocates: fc.boolean(),
  role: fc.oneof(fc.record({ apart: fc.boolean() }), fc.record({ shares: fc.nat(5) })),
  partner: fc.option(fc.nat(5), { nil: undefined }),
});

const workflow = fc.record({
  models: fc.array(model, { minLength: 1, maxLength: 6 }),
  stores: fc.array(fc.record({ apart: fc.boolean(), cpus: fc.integer({ min: 1, max: 4 }) }), { maxLength: 2 }),
  nodes: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  cores: fc.constantFrom(undefined, 4, 16),
  gpus: fc.constantFrom(undefined, 4),
  target: fc.constantFrom(...TargetName.options.filter((one) => !['lsf', 'cobalt', 'local'].includes(one))),
});

type Workflow = typeof workflow extends fc.Arbitrary<infer Value> ? Value : never;

/** Index of the model whose nodes one shares: one before it that has nodes of its own to share. */
function ownerOf(models: readonly Model[], index: number): number | undefined {
  const role = models[index]?.role;
  if (role === undefined || !('shares' in role)) return undefined;
  const owner = models[role.shares];
  return role.shares < index && owner !== undefined && 'apart' in owner.role ? role.shares : undefined;
}

function built({ models, stores, nodes }: Workflow): AuthoredExperiment {
  let open = experiment<string>('e').batch({ walltime: '01:00:00', ...(nodes === undefined ? {} : { nodes }) });
  for (const [index, { apart, cpus }] of stores.entries()) {
    open = open.orchestrator({ name: index === 0 ? 'orchestrator' : `s${index}`, apart, cpus }) as never;
  }
  for (const [index, one] of models.entries()) {
    const program = command('x')
      .tasks(one.nodes * one.tasksPerNode)
      .nodes(one.nodes)
      .cpusPerTask(one.cpus);
    const sized = one.gpus > 0 ? program.gpusPerNode(one.gpus) : program;
    let entity =
      one.members > 1
        ? open.ensemble(`m${index}`, sized).replicas(one.members)
        : (open.model(`m${index}`, sized) as never as ReturnType<typeof open.ensemble>);
    const owner = ownerOf(models, index);
    if (owner !== undefined) entity = entity.sharesNodesWith(`m${owner}`);
    else if ('apart' in one.role && one.role.apart) entity = entity.requires({ apart: true });
    if (one.colocates) entity = entity.colocate({ uds: true, id: `c${index}` }) as never;
    const partner = one.partner === undefined ? undefined : models[one.partner];
    if (partner !== undefined && one.partner !== index) entity = entity.registerIncomingEntity(`m${one.partner}`);
    open = entity as never;
  }
  return open;
}

/** The plan; undefined where the workflow asks for what cannot be. */
function planOf(given: Workflow): Plan | undefined {
  const { target, cores, gpus } = given;
  const node = { ...(cores === undefined ? {} : { cores }), ...(gpus === undefined ? {} : { gpus }) };
  const names = target === 'sge' ? { resources: { gpus: { name: 'gpu', per: 'node' as const } } } : {};
  const environments = target === 'sge' ? { parallelEnvironments: { perNode: 'mpi-{slots}' } } : {};
  try {
    return compileFor({ name: 's', target, node, ...names, ...environments }, built(given)).plan;
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    // Anything else would be a mistake of this test's.
    const codes = error.problems.filter(({ severity }) => severity === 'error').map(({ code }) => code);
    expect(codes.filter((code) => !['PLAN1001', 'PLAN1006', 'PLAN1013', 'STORE1001'].includes(code))).toEqual([]);
    return undefined;
  }
}

test('groups part the nodes of a job, and what has to run at a time fits into them', () => {
  let compiled = 0;
  let several = 0;
  fc.assert(
    fc.property(workflow, (given) => {
      const plan = planOf(given);
      if (plan === undefined) return;
      compiled++;
      const [job] = plan.jobs;
      if (job === undefined) throw new Error('there is no job');
      if (job.groups.length > 1) several++;
      const allocations: Allocation[] = [job.allocation, ...job.components];
      // They follow each other without gap or overlap, and cover their components.
      for (const [component, allocation] of allocations.entries()) {
        let next = 0;
        for (const group of job.groups.filter((one) => one.component === component)) {
          expect(group.first).toBe(next);
          next += group.nodes;
        }
        expect(next).toBe(allocation.nodes);
      }
      if (given.nodes !== undefined) expect(job.allocation.nodes).toBe(given.nodes);
      const groupOf = new Map(plan.entities.map(({ name, group }) => [name, group]));
      for (const [index, one] of given.models.entries()) {
        const owner = ownerOf(given.models, index);
        const mine = groupOf.get(`m${index}`) as number;
        const group = job.groups[mine];
        expect(group?.nodes).toBeGreaterThanOrEqual(one.nodes);
        if (owner !== undefined) expect(mine).toBe(groupOf.get(`m${owner}`));
        if (owner !== undefined || !('apart' in one.role) || !one.role.apart) continue;
        // Nobody is beside it but those that share its nodes.
        const beside = given.models.flatMap((_, other) => (groupOf.get(`m${other}`) === mine ? [other] : []));
        expect(beside.filter((other) => other !== index && ownerOf(given.models, other) !== index)).toEqual([]);
        const isAlone = given.models.length + given.stores.length === beside.length;
        if (!isAlone) {
          const stores = plan.stores.filter((store) => store.kind === 'standalone' && store.group === mine);
          expect(stores).toEqual([]);
        }
      }
      // A member of each that shares nodes fits beside the others on each node, stores included.
      for (const [index, group] of job.groups.entries()) {
        const here = plan.entities.filter((one) => one.group === index);
        const shared = here.some(({ sharesNodesWith }) => sharesNodesWith !== undefined);
        const { cpusPerNode = Number.POSITIVE_INFINITY, gpusPerNode = 0 } = allocations[group.component] as Allocation;
        for (const { size } of here) {
          expect(size.tasksPerNode * size.cpusPerTask).toBeLessThanOrEqual(cpusPerNode);
          expect(size.gpusPerNode ?? 0).toBeLessThanOrEqual(gpusPerNode);
        }
        if (!shared && !(group.nodes === 1 && given.gpus === undefined)) continue;
        const gpus = here.reduce((sum, { size }) => sum + (size.gpusPerNode ?? 0), 0);
        expect(gpus).toBeLessThanOrEqual(gpusPerNode);
        if (!shared) continue;
        const stores = plan.stores.filter((one) => one.group === index).reduce((sum, { cpus }) => sum + cpus, 0);
        const cpus = here.reduce((sum, { size }) => sum + size.tasksPerNode * size.cpusPerTask, 0);
        expect(cpus + stores).toBeLessThanOrEqual(cpusPerNode);
      }
      const [placed] = placementOf(plan);
      for (const { cpusPerNode = Number.POSITIVE_INFINITY, gpusPerNode, running } of placed?.stages[0]?.nodes ?? []) {
        const members = running.filter(({ kind }) => kind !== 'store');
        expect(members.reduce((sum, { cpus }) => sum + cpus, 0)).toBeLessThanOrEqual(cpusPerNode);
        expect(members.reduce((sum, { gpus }) => sum + gpus, 0)).toBeLessThanOrEqual(gpusPerNode);
      }
    }),
    { numRuns: 200 },
  );
  // The property holds for something.
  expect(compiled).toBeGreaterThan(50);
  expect(several).toBeGreaterThan(20);
});
