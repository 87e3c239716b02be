import { type Problems, suggestion } from '../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  applicationsOf,
  type ColocatedDeclaration,
  type ExperimentDeclaration,
  type MlModelDeclaration,
  type OrchestratorDeclaration,
} from '../../ir/index.js';

/** The name that SmartRedis's environment variables have no suffix for. */
export const defaultStore = 'orchestrator';

/** A store that an application sees. */
export type VisibleStore =
  | { readonly kind: 'standalone'; readonly suffix: string; readonly declaration: OrchestratorDeclaration }
  | { readonly kind: 'colocated'; readonly suffix: string; readonly declaration: ColocatedDeclaration };

/** Stores that an application sees: its colocated one first, then every standalone one. */
export function visibleStores(experiment: ExperimentDeclaration, application: ApplicationDeclaration): VisibleStore[] {
  const standalone = experiment.entities
    .filter((entity) => entity.kind === 'orchestrator')
    .map((declaration) => ({ kind: 'standalone', suffix: suffixOf(declaration.name), declaration }) as const);
  const own = application.colocated;
  return own === undefined
    ? standalone
    : [{ kind: 'colocated', suffix: own.id ?? '', declaration: own }, ...standalone];
}

/** SmartRedis's suffix of a standalone store. */
export function suffixOf(name: string): string {
  return name === defaultStore ? '' : name;
}

/** The stores that load an ML model: the one it names, else the colocated one, else every standalone one. */
export function storesOfModel(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  model: MlModelDeclaration,
): VisibleStore[] {
  const visible = visibleStores(experiment, application);
  if (model.orchestrator !== undefined) return visible.filter((store) => storeName(store) === model.orchestrator);
  const own = visible.filter(({ kind }) => kind === 'colocated');
  return own.length > 0 ? own : visible;
}

function storeName({ kind, suffix, declaration }: VisibleStore): string {
  return kind === 'standalone' ? declaration.name : suffix;
}

/** Every application can tell its stores apart, and every ML model has a store to be loaded by. */
export function checkStores(experiment: ExperimentDeclaration, problems: Problems): void {
  for (const application of applicationsOf(experiment)) {
    const visible = visibleStores(experiment, application);
    const bySuffix = new Map<string, VisibleStore>();
    for (const store of visible) {
      const other = bySuffix.get(store.suffix);
      bySuffix.set(store.suffix, other ?? store);
      if (other === undefined) continue;
      const [place, hint] =
        other.kind === 'colocated'
          ? [other.declaration.at, "give the colocated store an id: .colocate({ …, id: 'local' })"]
          : [store.declaration.at, 'give one of them a name of its own'];
      const which = store.suffix === '' ? 'two stores without a name' : `two stores named '${store.suffix}'`;
      problems.error('STORE1001', `${application.kind} '${application.name}' would see ${which}`, place, hint);
    }
    checkModels(experiment, application, visible, problems);
  }
  checkSharedModels(experiment, problems);
  checkSockets(experiment, problems);
}

/** Several entities may give a standalone store an ML model of one name if it is the same. */
function checkSharedModels(experiment: ExperimentDeclaration, problems: Problems): void {
  const first = new Map<string, { readonly application: ApplicationDeclaration; readonly model: MlModelDeclaration }>();
  for (const application of applicationsOf(experiment)) {
    for (const model of application.mlModels) {
      for (const store of storesOfModel(experiment, application, model)) {
        if (store.kind === 'colocated') continue;
        const key = JSON.stringify([store.declaration.name, model.name]);
        const other = first.get(key);
        if (other === undefined) first.set(key, { application, model });
        else if (other.application !== application && !sameModel(other.model, model)) {
          const message = `.addMlModel('${model.name}'): '${other.application.name}' gives store '${store.declaration.name}' another ML model of that name`;
          problems.error(
            'DSL1003',
            message,
            model.at,
            'give one of them another name, or both the same source and options',
          );
        }
      }
    }
  }
}

function sameModel(a: MlModelDeclaration, b: MlModelDeclaration): boolean {
  const plain = ({ at: _at, orchestrator: _orchestrator, source, ...options }: MlModelDeclaration) =>
    JSON.stringify([
      Object.entries(options).sort(([one], [other]) => (one < other ? -1 : 1)),
      source.kind === 'file' ? source.path : Buffer.from(source.bytes).toString('base64'),
    ]);
  return plain(a) === plain(b);
}

function checkModels(
  experiment: ExperimentDeclaration,
  application: ApplicationDeclaration,
  visible: readonly VisibleStore[],
  problems: Problems,
): void {
  const seen = new Set<string>();
  for (const model of application.mlModels) {
    if (storesOfModel(experiment, application, model).length === 0) {
      const message =
        model.orchestrator === undefined
          ? `.addMlModel('${model.name}'): '${application.name}' has no store that could load it`
          : `.addMlModel('${model.name}'): '${application.name}' sees no store named '${model.orchestrator}'`;
      const hint =
        model.orchestrator === undefined
          ? 'open one with .orchestrator(), or give the entity its own with .colocate()'
          : suggestion(model.orchestrator, visible.map(storeName));
      problems.error('ML1002', message, model.at, hint);
    }
    if (seen.has(model.name)) {
      problems.error('DSL1003', `'${application.name}' has two ML models named '${model.name}'`, model.at);
    }
    seen.add(model.name);
  }
}

/** Longest path of a Unix socket: `sun_path` has 108 bytes, the last one NUL; Node cuts a longer path without a word. */
const longestSocketPath = 107;

function checkSockets(experiment: ExperimentDeclaration, problems: Problems): void {
  for (const { colocated } of applicationsOf(experiment)) {
    if (colocated?.transport.kind !== 'uds' || colocated.transport.socket === undefined) continue;
    const bytes = Buffer.byteLength(colocated.transport.socket);
    if (!colocated.transport.socket.startsWith('/')) {
      const message = `.colocate(): the socket's path '${colocated.transport.socket}' is relative`;
      problems.error('STORE1002', message, colocated.at, 'write an absolute path, or leave it out');
    } else if (!/^[A-Za-z0-9.:,/_-]+$/.test(colocated.transport.socket)) {
      const hint = 'SmartRedis clients take letters, digits and the signs . : , / _ - in an address';
      problems.error(
        'STORE1002',
        `.colocate(): the socket's path '${colocated.transport.socket}' cannot be an address`,
        colocated.at,
        hint,
      );
    } else if (bytes > longestSocketPath) {
      const message = `.colocate(): the socket's path has ${bytes} bytes, and a Unix socket's at most ${longestSocketPath}`;
      problems.error('STORE1002', message, colocated.at, 'choose a shorter one, under /tmp say, or leave it out');
    }
  }
}
