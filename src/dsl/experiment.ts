import * as z from 'zod';
import { callerLocation, type Problem } from '../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  type Authored,
  authoredExperiment,
  byKind,
  type EnsembleDeclaration,
  type EntityDeclaration,
  type ExperimentDeclaration,
  type MlSource,
  type ModelDeclaration,
  type ScriptSource,
} from '../ir/index.js';
import { positive } from '../ir/options/index.js';
import { Arguments, deepFreeze } from './arguments.js';
import { batchNode, refuseMembersOptions } from './batch-node.js';
import { Chain } from './chain.js';
import type { Command } from './command.js';
import {
  addedModelNode,
  afterNode,
  attachNode,
  checkName,
  commandDeclaration,
  requiresNode,
  setupNode,
  sharesNodesNode,
} from './entity-nodes.js';
import type { TensorFunction } from './function-source.js';
import { functionNode, mlModelNode, scriptNode } from './ml-nodes.js';
import { paramsNode } from './params-node.js';
import { rayClusterNode, usesRayNode } from './ray-node.js';
import { colocatedNode, orchestratorNode } from './store-nodes.js';
import type { EnsembleBuilder, Experiment, ModelBuilder, OrchestratorBuilder, RayClusterBuilder } from './types.js';

/**
 * Opens an experiment. Its builder is immutable: every call returns a new one, and a half-built experiment can be extended twice.
 *
 * The editor refuses a name that is used twice, and a name that does not exist. In a loop it cannot know the names: write `experiment<string>('x')`,
 * and the compiler checks them.
 *
 * @example
 * export default experiment('hello').model('greeter', command('echo', 'hello'));
 */
export function experiment<const Names extends string = never>(name: string): Experiment<Names> {
  const checked = new Arguments('experiment()', callerLocation(experiment));
  const opened: Opened = { kind: 'experiment', at: checked.at, name: checkName(checked, name) };
  const problems = Chain.empty<readonly Problem[]>().with(checked.problems.sorted());
  return new ExperimentBuilder(opened, Chain.empty(), problems) as Experiment<Names>;
}

/** An experiment's record without its entities. */
type Opened = Omit<ExperimentDeclaration, 'entities'>;

/** The builder at run time: one class that implements all the interfaces. It checks its arguments, since plain JavaScript has no types. */
class ExperimentBuilder
  implements
    Experiment<string>,
    ModelBuilder<string, boolean>,
    EnsembleBuilder<string, boolean>,
    OrchestratorBuilder<string>,
    RayClusterBuilder<string>
{
  readonly #opened: Opened;
  readonly #entities: Chain<EntityDeclaration>;
  readonly #problems: Chain<readonly Problem[]>;
  #authored: Authored<ExperimentDeclaration> | undefined;

  constructor(opened: Opened, entities: Chain<EntityDeclaration>, problems: Chain<readonly Problem[]>) {
    this.#opened = opened;
    this.#entities = entities;
    this.#problems = problems;
  }

  /** The record. It is made on demand: a chain has many builders, and only the last one is asked. */
  get [authoredExperiment](): Authored<ExperimentDeclaration> {
    this.#authored ??= deepFreeze({
      declaration: { ...this.#opened, entities: this.#entities.toArray() },
      problems: this.#problems.toArray().flat(),
    });
    return this.#authored;
  }

  model(name: unknown, command: Command): this {
    return this.#open('model', name, command, new Arguments('.model()', callerLocation(this.model)));
  }

  ensemble(name: unknown, command: Command): this {
    return this.#open('ensemble', name, command, new Arguments('.ensemble()', callerLocation(this.ensemble)));
  }

  orchestrator(options?: unknown): this {
    const checked = new Arguments('.orchestrator()', callerLocation(this.orchestrator));
    return this.#add(orchestratorNode(checked, options), checked);
  }

  rayCluster(name: unknown, options?: unknown): this {
    const checked = new Arguments('.rayCluster()', callerLocation(this.rayCluster));
    return this.#add(rayClusterNode(checked, name, options), checked);
  }

  batch(options: unknown): this {
    const checked = new Arguments('.batch()', callerLocation(this.batch));
    const node = batchNode(checked, options);
    if (this.#entities.length === 0) {
      return this.#next({ ...this.#opened, batch: node }, this.#entities, checked);
    }
    return this.#describeAny(checked, (open) => {
      const refuse = () => refuseMembersOptions(checked, node, open.kind);
      const ofCluster = () => (open.kind === 'ray-cluster' ? refuse() : undefined);
      byKind(open, { application: ofCluster, orchestrator: refuse });
      return { batch: node };
    });
  }

  requires(options: unknown): this {
    const checked = new Arguments('.requires()', callerLocation(this.requires));
    return this.#describeAny(checked, () => ({ requires: requiresNode(checked, options) }));
  }

  setup(options: unknown): this {
    const checked = new Arguments('.setup()', callerLocation(this.setup));
    return this.#describeAny(checked, () => ({ setup: setupNode(checked, options) }));
  }

  sharesNodesWith(name: unknown): this {
    const checked = new Arguments('.sharesNodesWith()', callerLocation(this.sharesNodesWith));
    return this.#describeLaunched(checked, () => {
      const node = sharesNodesNode(checked, name);
      return node === undefined ? {} : { sharesNodesWith: node };
    });
  }

  replicas(n: number): this {
    const checked = new Arguments('.replicas()', callerLocation(this.replicas));
    return this.#describeEnsemble(checked, () => {
      const replicas = checked.take(positive, n, 'their number');
      return replicas === undefined ? {} : { replicas };
    });
  }

  addModel(name: unknown, command: Command, options?: unknown): this {
    const checked = new Arguments('.addModel()', callerLocation(this.addModel));
    return this.#describeEnsemble(checked, (open) => {
      const declaration = commandDeclaration(checked, command);
      const own = checkName(checked, name);
      if (declaration === undefined) return {};
      return { added: [...open.added, addedModelNode(checked, own, declaration, options)] };
    });
  }

  params(values: unknown, options?: unknown): this {
    const checked = new Arguments('.params()', callerLocation(this.params));
    return this.#describe(checked, (open) => ({ params: paramsNode(checked, open.kind, values, options) }));
  }

  attach(options: unknown): this {
    const checked = new Arguments('.attach()', callerLocation(this.attach));
    return this.#describe(checked, (open) => ({ attach: [...open.attach, attachNode(checked, options)] }));
  }

  colocate(options: unknown): this {
    const checked = new Arguments('.colocate()', callerLocation(this.colocate));
    return this.#describe(checked, (open) => {
      if (open.colocated !== undefined) {
        const message = `${open.kind} '${open.name}' already has a colocated orchestrator`;
        checked.problems.error('DSL1004', message, checked.at, 'keep one of the two .colocate() calls');
      }
      return { colocated: colocatedNode(checked, options) };
    });
  }

  addMlModel(name: unknown, source: MlSource, options: unknown): this {
    const checked = new Arguments('.addMlModel()', callerLocation(this.addMlModel));
    return this.#describe(checked, (open) => {
      const node = mlModelNode(checked, name, source, options);
      return { mlModels: node === undefined ? open.mlModels : [...open.mlModels, node] };
    });
  }

  addScript(name: unknown, source: ScriptSource, options?: unknown): this {
    const checked = new Arguments('.addScript()', callerLocation(this.addScript));
    return this.#describe(checked, (open) => {
      const node = scriptNode(checked, name, source, options);
      return { scripts: node === undefined ? open.scripts : [...open.scripts, node] };
    });
  }

  addFunction(name: unknown, source: TensorFunction, options?: unknown): this {
    const checked = new Arguments('.addFunction()', callerLocation(this.addFunction));
    return this.#describe(checked, (open) => {
      const node = functionNode(checked, name, source, options);
      return { scripts: node === undefined ? open.scripts : [...open.scripts, node] };
    });
  }

  enableKeyPrefixing(): this {
    const checked = new Arguments('.enableKeyPrefixing()', callerLocation(this.enableKeyPrefixing));
    return this.#describe(checked, () => ({ keyPrefixing: true }));
  }

  disableKeyPrefixing(): this {
    const checked = new Arguments('.disableKeyPrefixing()', callerLocation(this.disableKeyPrefixing));
    return this.#describe(checked, () => ({ keyPrefixing: false }));
  }

  registerIncomingEntity(...names: readonly string[]): this {
    const checked = new Arguments('.registerIncomingEntity()', callerLocation(this.registerIncomingEntity));
    const given = checked.take(z.array(z.string().min(1)).min(1), names, 'the names') ?? [];
    return this.#describe(checked, (open) => ({
      incoming: [...open.incoming, ...given.map((name) => ({ kind: 'incoming' as const, at: checked.at, name }))],
    }));
  }

  after(name: unknown, event?: unknown): this {
    const checked = new Arguments('.after()', callerLocation(this.after));
    return this.#describeLaunched(checked, (open) => {
      const node = afterNode(checked, name, event);
      return { after: node === undefined ? open.after : [...open.after, node] };
    });
  }

  usesRay(name: unknown): this {
    const checked = new Arguments('.usesRay()', callerLocation(this.usesRay));
    return this.#describe(checked, () => {
      const node = usesRayNode(checked, name);
      return node === undefined ? {} : { usesRay: node };
    });
  }

  apply<Result>(change: (builder: this) => Result): Result {
    return change(this);
  }

  #open(kind: 'model' | 'ensemble', name: unknown, command: Command, checked: Arguments): this {
    const declaration = commandDeclaration(checked, command);
    if (declaration === undefined) return this.#with(this.#entities, checked);
    const lists = { attach: [], mlModels: [], scripts: [], incoming: [], after: [] };
    const node = { at: checked.at, name: checkName(checked, name), command: declaration, ...lists };
    return this.#add(kind === 'model' ? { kind, ...node } : { kind, ...node, added: [] }, checked);
  }

  #add(entity: EntityDeclaration, checked: Arguments): this {
    return this.#with(this.#entities.with(entity), checked);
  }

  /** Changes the model or ensemble that is open. */
  #describe(checked: Arguments, change: (open: ProgramDeclaration) => Partial<ProgramDeclaration>): this {
    return this.#change(checked, 'a model or an ensemble', 'call it after .model() or .ensemble()', (open) =>
      byKind<Partial<ProgramDeclaration> | undefined>(open, {
        application: (one) => (one.kind === 'ray-cluster' ? undefined : change(one)),
        orchestrator: () => undefined,
      }),
    );
  }

  /** Changes the model, ensemble or Ray cluster that is open. */
  #describeLaunched(
    checked: Arguments,
    change: (open: ApplicationDeclaration) => Partial<ApplicationDeclaration>,
  ): this {
    const hint = 'call it after .model(), .ensemble() or .rayCluster()';
    return this.#change(checked, 'a model, an ensemble or a Ray cluster', hint, (open) =>
      byKind<Partial<ApplicationDeclaration> | undefined>(open, { application: change, orchestrator: () => undefined }),
    );
  }

  /** Changes the ensemble that is open. */
  #describeEnsemble(checked: Arguments, change: (open: EnsembleDeclaration) => Partial<EnsembleDeclaration>): this {
    return this.#change(checked, 'an ensemble', 'call it after .ensemble()', (open) =>
      open.kind === 'ensemble' ? change(open) : undefined,
    );
  }

  /** Changes the entity that is open, of any kind. */
  #describeAny(checked: Arguments, change: (open: EntityDeclaration) => CommonParts): this {
    return this.#change(
      checked,
      'an entity',
      'call it after .model(), .ensemble(), .rayCluster() or .orchestrator()',
      change,
    );
  }

  #change(
    checked: Arguments,
    what: string,
    hint: string,
    change: (open: EntityDeclaration) => Partial<EntityDeclaration> | undefined,
  ): this {
    const open = this.#entities.last;
    const parts = open === undefined ? undefined : change(open);
    if (open === undefined || parts === undefined) {
      const message = `${checked.call} describes ${what}, and none is open here`;
      checked.problems.error('DSL1009', message, checked.at, hint);
      return this.#with(this.#entities, checked);
    }
    const changed = { ...open, ...parts } as EntityDeclaration;
    return this.#with(this.#entities.withLast(changed), checked);
  }

  #with(entities: Chain<EntityDeclaration>, checked: Arguments): this {
    return this.#next(this.#opened, entities, checked);
  }

  /** The next builder of the chain: like this one, of a class that has no subclasses. */
  #next(opened: Opened, entities: Chain<EntityDeclaration>, { problems }: Arguments): this {
    const found = problems.sorted();
    return new ExperimentBuilder(
      opened,
      entities,
      found.length === 0 ? this.#problems : this.#problems.with(found),
    ) as this;
  }
}

/** An entity that runs programs of the user's. */
type ProgramDeclaration = ModelDeclaration | EnsembleDeclaration;

/** Parts that every kind of entity has. */
type CommonParts = Pick<EntityDeclaration, 'batch' | 'requires' | 'setup'>;
