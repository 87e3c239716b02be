import * as z from 'zod';
import { callerLocation, type Problem } from '../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  type Authored,
  authoredCommand,
  authoredExperiment,
  type EntityDeclaration,
  type Event,
  type ExperimentDeclaration,
  type MlSource,
  namePattern,
} from '../ir/index.js';
import { Arguments, deepFreeze, show } from './arguments.js';
import type { Command } from './command.js';
import { afterNode, attachNode, batchNode, colocatedNode, mlModelNode, orchestratorNode, paramsNode } from './nodes.js';
import type {
  Application,
  AttachOptions,
  BatchOptions,
  ColocateOptions,
  Experiment,
  MlModelOptions,
  OrchestratorOptions,
  ParamsOptions,
  ParamValues,
} from './types.js';

/**
 * Opens an experiment. Its builder is immutable: every call returns a new one, and a half-built experiment can be extended twice.
 *
 * @example
 * export default experiment('hello').model('greeter', command('echo', 'hello'));
 */
export function experiment(name: string): Experiment {
  const checked = new Arguments('experiment()', callerLocation(experiment));
  const declaration: ExperimentDeclaration = {
    kind: 'experiment',
    at: checked.at,
    name: checkName(checked, name),
    entities: [],
  };
  return builderOf({ declaration, problems: checked.problems.sorted() }) as unknown as Experiment;
}

/** The builder at run time: one class behind all the types that say which call is allowed when. */
class ExperimentBuilder {
  readonly [authoredExperiment]: Authored<ExperimentDeclaration>;

  constructor(authored: Authored<ExperimentDeclaration>) {
    this[authoredExperiment] = deepFreeze(authored);
  }

  model(name: string, command: Command): ExperimentBuilder {
    return this.#open('model', name, command, new Arguments('.model()', callerLocation(this.model)));
  }

  ensemble(name: string, command: Command): ExperimentBuilder {
    return this.#open('ensemble', name, command, new Arguments('.ensemble()', callerLocation(this.ensemble)));
  }

  orchestrator(options?: OrchestratorOptions): ExperimentBuilder {
    const checked = new Arguments('.orchestrator()', callerLocation(this.orchestrator));
    const name = checkName(checked, options?.name ?? 'orchestrator');
    return this.#add({ ...orchestratorNode(checked, options), name }, checked);
  }

  batch(options: BatchOptions): ExperimentBuilder {
    const checked = new Arguments('.batch()', callerLocation(this.batch));
    const node = batchNode(checked, options);
    if (this.#declaration.entities.length === 0) return this.#with({ ...this.#declaration, batch: node }, checked);
    return this.#describe(checked, () => ({ batch: node }));
  }

  params(values: ParamValues, options?: ParamsOptions): ExperimentBuilder {
    const checked = new Arguments('.params()', callerLocation(this.params));
    return this.#describe(checked, (open) => ({ params: paramsNode(checked, open.kind, values, options) }));
  }

  attach(options: AttachOptions): ExperimentBuilder {
    const checked = new Arguments('.attach()', callerLocation(this.attach));
    return this.#describe(checked, (open) => ({ attach: [...open.attach, attachNode(checked, options)] }));
  }

  colocate(options: ColocateOptions): ExperimentBuilder {
    const checked = new Arguments('.colocate()', callerLocation(this.colocate));
    return this.#describe(checked, (open) => {
      if (open.colocated !== undefined) {
        const message = `${open.kind} '${open.name}' already has a colocated orchestrator`;
        checked.problems.error('DSL1004', message, checked.at, 'keep one of the two .colocate() calls');
      }
      return { colocated: colocatedNode(checked, options) };
    });
  }

  addMlModel(name: string, source: MlSource, options: MlModelOptions): ExperimentBuilder {
    const checked = new Arguments('.addMlModel()', callerLocation(this.addMlModel));
    return this.#describe(checked, (open) => {
      const node = mlModelNode(checked, name, source, options);
      return { mlModels: node === undefined ? open.mlModels : [...open.mlModels, node] };
    });
  }

  enableKeyPrefixing(): ExperimentBuilder {
    const checked = new Arguments('.enableKeyPrefixing()', callerLocation(this.enableKeyPrefixing));
    return this.#describe(checked, () => ({ keyPrefixing: true }));
  }

  disableKeyPrefixing(): ExperimentBuilder {
    const checked = new Arguments('.disableKeyPrefixing()', callerLocation(this.disableKeyPrefixing));
    return this.#describe(checked, () => ({ keyPrefixing: false }));
  }

  registerIncomingEntity(...names: readonly string[]): ExperimentBuilder {
    const checked = new Arguments('.registerIncomingEntity()', callerLocation(this.registerIncomingEntity));
    const given = checked.take(z.array(z.string().min(1)).min(1), names, 'the names') ?? [];
    return this.#describe(checked, (open) => ({
      incoming: [...open.incoming, ...given.map((name) => ({ kind: 'incoming' as const, at: checked.at, name }))],
    }));
  }

  after(name: string, event?: Event): ExperimentBuilder {
    const checked = new Arguments('.after()', callerLocation(this.after));
    return this.#describe(checked, (open) => {
      const node = afterNode(checked, name, event);
      return { after: node === undefined ? open.after : [...open.after, node] };
    });
  }

  apply<Result>(change: (builder: this) => Result): Result {
    return change(this);
  }

  get #declaration(): ExperimentDeclaration {
    return this[authoredExperiment].declaration;
  }

  #open(kind: 'model' | 'ensemble', name: string, command: Command, checked: Arguments): ExperimentBuilder {
    const authored = command?.[authoredCommand];
    if (authored === undefined) {
      const message = `${checked.call}: ${show(command)} is no command`;
      checked.problems.error('DSL1001', message, checked.at, "write command('./program', 'argument')");
      return this.#with(this.#declaration, checked);
    }
    checked.problems.add(authored.problems);
    const application = { attach: [], mlModels: [], incoming: [], after: [] };
    const node = {
      kind,
      at: checked.at,
      name: checkName(checked, name),
      command: authored.declaration,
      ...application,
    };
    return this.#add(node, checked);
  }

  #add(entity: EntityDeclaration, checked: Arguments): ExperimentBuilder {
    return this.#with({ ...this.#declaration, entities: [...this.#declaration.entities, entity] }, checked);
  }

  /** Changes the model or ensemble that is open. */
  #describe(
    checked: Arguments,
    change: (open: ApplicationDeclaration) => Partial<ApplicationDeclaration>,
  ): ExperimentBuilder {
    const { entities } = this.#declaration;
    const open = entities.at(-1);
    if (open === undefined || open.kind === 'orchestrator') {
      const message = `${checked.call} describes a model or an ensemble, and none is open here`;
      checked.problems.error('DSL1009', message, checked.at, 'call it after .model() or .ensemble()');
      return this.#with(this.#declaration, checked);
    }
    const changed = { ...open, ...change(open) } as ApplicationDeclaration;
    return this.#with({ ...this.#declaration, entities: [...entities.slice(0, -1), changed] }, checked);
  }

  #with(declaration: ExperimentDeclaration, checked: Arguments): ExperimentBuilder {
    const problems: Problem[] = [...this[authoredExperiment].problems, ...checked.problems.sorted()];
    return builderOf({ declaration, problems });
  }
}

function builderOf(authored: Authored<ExperimentDeclaration>): ExperimentBuilder {
  return new ExperimentBuilder(authored);
}

function checkName(checked: Arguments, name: string): string {
  if (typeof name === 'string' && namePattern.test(name)) return name;
  checked.problems.error(
    'DSL1002',
    `${checked.call}: ${show(name)} cannot be a name`,
    checked.at,
    'names start with a letter, hold letters, digits, "_", "." and "-", and have at most 63 characters',
  );
  return typeof name === 'string' ? name : 'unknown';
}

export type { Application, Experiment };
