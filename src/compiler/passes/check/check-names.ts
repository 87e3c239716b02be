import { type Problems, suggestion } from '../../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  addedOf,
  applicationsOf,
  byKind,
  declaredMembers,
  type EntityDeclaration,
  type ExperimentDeclaration,
  memberName,
} from '../../../ir/index.js';
import type { Reads } from '../compilation.js';
import { entityOf } from '../lookup/references.js';

/** Names that the runtime uses in run/, where entities have their folders. */
const reservedNames = ['status', 'stores', 'clusters', 'recipes', 'aside', 'node_modules', 'members.csv', 'jobs.tsv'];

/** Names are unique; references name existing entities; no entity waits for itself. */
export function checkNames({ experiment }: Reads<'experiment'>, problems: Problems): void {
  checkUnique(experiment, problems);
  const applications = applicationsOf(experiment);
  for (const application of applications) {
    for (const incoming of application.incoming) {
      const call = `.registerIncomingEntity('${incoming.name}')`;
      checkReference(call, incoming.name, incoming.at, applications, undefined, problems);
    }
    for (const after of application.after) {
      if (entityOf(after.name, applications) === application) {
        const whom = after.name === application.name ? 'itself' : `its own member '${after.name}'`;
        problems.error('REF1002', `'${application.name}' waits for ${whom}`, after.at);
        continue;
      }
      checkReference(`.after('${after.name}')`, after.name, after.at, applications, application, problems);
    }
  }
  checkCycles(applications, problems);
}

function checkReference(
  call: string,
  name: string,
  at: ApplicationDeclaration['at'],
  applications: readonly ApplicationDeclaration[],
  self: ApplicationDeclaration | undefined,
  problems: Problems,
): void {
  const entity = entityOf(name, applications);
  if (entity === undefined) {
    const names = applications.filter((one) => one !== self).map((one) => one.name);
    const message = `${call}: there is no model or ensemble of that name`;
    problems.error('REF1001', message, at, suggestion(name, names));
    return;
  }
  const isAdded = entity.kind === 'ensemble' && entity.added.some((one) => one.name === name);
  if (entity.name === name || isAdded) return;
  const { count } = declaredMembers(entity);
  if (Number(name.slice(entity.name.length + 1)) < count) return;
  const members = count === 1 ? 'one member' : `${count} members`;
  const range =
    count === 1
      ? `it is ${memberName(entity, 0)}`
      : `they are ${memberName(entity, 0)} to ${memberName(entity, count - 1)}`;
  problems.error('REF1001', `${call}: '${entity.name}' has ${members}`, at, range);
}

/** True for those that have run/NAME. */
const hasDirectory: Readonly<Record<EntityDeclaration['kind'] | 'added model', boolean>> = {
  model: true,
  ensemble: true,
  'ray-cluster': true,
  'added model': true,
  orchestrator: false,
};

function checkUnique(experiment: ExperimentDeclaration, problems: Problems): void {
  const seen = new Map<string, string>();
  const taken = new Set(experiment.entities.flatMap(({ kind, name }) => (kind === 'ensemble' ? [name] : [])));
  const named = experiment.entities.flatMap((entity) => [
    entity,
    ...byKind(entity, { application: addedOf, orchestrator: () => [] }).map(({ name, at }) => ({
      name,
      at,
      kind: 'added model' as const,
    })),
  ]);
  for (const { name, kind, at } of named) {
    const first = seen.get(name);
    if (first !== undefined) {
      const message = `${kind} '${name}': the name is already that of ${first}`;
      problems.error('DSL1003', message, at, 'names stand for directories and keys, so each is used once');
    } else seen.set(name, `${kind === 'model' ? 'a' : 'an'} ${kind}${placeOf(at)}`);
    if (hasDirectory[kind] && reservedNames.includes(name)) {
      const hint = `run/ already has what is named so; the names kept for it are: ${reservedNames.join(', ')}`;
      problems.error('DSL1002', `${kind} '${name}': the name is taken by the runtime`, at, hint);
    }
  }
  for (const { name, at } of named) {
    const member = /^(.+)_(0|[1-9]\d*)$/.exec(name);
    if (member?.[1] !== undefined && taken.has(member[1])) {
      problems.error('DSL1003', `'${name}' is also the name of a member of ensemble '${member[1]}'`, at);
    }
  }
}

function placeOf(at: ExperimentDeclaration['at']): string {
  return at === undefined ? '' : ` (line ${at.line})`;
}

function checkCycles(applications: readonly ApplicationDeclaration[], problems: Problems): void {
  const done = new Set<ApplicationDeclaration>();
  const open = new Set<ApplicationDeclaration>();
  // An explicit stack: a chain may be longer than the call stack allows.
  const path: { readonly application: ApplicationDeclaration; next: number }[] = [];
  const enter = (application: ApplicationDeclaration): void => {
    open.add(application);
    path.push({ application, next: 0 });
  };
  for (const start of applications) {
    if (!done.has(start)) enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { application } = top;
      const after = application.after[top.next++];
      if (after === undefined) {
        done.add(application);
        open.delete(application);
        path.pop();
        continue;
      }
      const other = entityOf(after.name, applications);
      if (other === undefined || other === application || done.has(other)) continue;
      if (!open.has(other)) {
        enter(other);
        continue;
      }
      const circle = path.slice(path.findIndex((one) => one.application === other));
      const names = [...circle.map((one) => one.application), other].map(({ name }) => `'${name}'`);
      const message = `none of them could ever start: ${names.join(' waits for ')}`;
      problems.error('REF1002', message, after.at, 'take out one of the .after() calls');
    }
  }
}
