import { type ApplicationDeclaration, derivedOnce } from '../../../ir/index.js';
import { entityOf } from './references.js';

/** The other applications whose keys an application reads. */
export function writersFor(
  application: ApplicationDeclaration,
  applications: readonly ApplicationDeclaration[],
): ApplicationDeclaration[] {
  const names = [...application.incoming, ...application.after.filter(({ kind }) => kind === 'after-key')].map(
    ({ name }) => name,
  );
  const found = names.flatMap((name) => entityOf(name, applications) ?? []);
  return [...new Set(found)].filter((one) => one !== application);
}

/**
 * Sets of applications that have to run at the same time, since they read each other's keys in a circle (for each reader and its writer
 * the shortest such circle), or since one is the Ray cluster that another uses. Each set is named once.
 */
export const meetings = derivedOnce(
  (applications: readonly ApplicationDeclaration[]): readonly (readonly ApplicationDeclaration[])[] => {
    const writers = new Map(applications.map((one) => [one, new Set(writersFor(one, applications))]));
    const numbers = new Map(applications.map((one, number) => [one, number]));
    const found = new Map<string, readonly ApplicationDeclaration[]>();
    for (const [reader, others] of writers) {
      for (const writer of others) {
        const isMutual = writers.get(writer)?.has(reader) === true;
        const path = isMutual ? [writer, reader] : shortestPath(writer, reader, writers);
        if (path === undefined) continue;
        const set = [...path].sort((a, b) => (numbers.get(a) as number) - (numbers.get(b) as number));
        found.set(set.map((one) => numbers.get(one)).join(), set);
      }
    }
    // A Ray cluster runs as long as those that use it.
    for (const user of applications) {
      const cluster = applications.find(({ kind, name }) => kind === 'ray-cluster' && name === user.usesRay?.name);
      if (cluster !== undefined) found.set(`${numbers.get(cluster)} ${numbers.get(user)}`, [cluster, user]);
    }
    return [...found.values()];
  },
);

/** The applications on the shortest way from one to another, both included; undefined if there is none. */
function shortestPath(
  from: ApplicationDeclaration,
  to: ApplicationDeclaration,
  writers: ReadonlyMap<ApplicationDeclaration, ReadonlySet<ApplicationDeclaration>>,
): ApplicationDeclaration[] | undefined {
  const cameFrom = new Map<ApplicationDeclaration, ApplicationDeclaration | undefined>([[from, undefined]]);
  for (const one of cameFrom.keys()) {
    if (one === to) {
      const path: ApplicationDeclaration[] = [];
      for (let at: ApplicationDeclaration | undefined = to; at !== undefined; at = cameFrom.get(at)) path.push(at);
      return path;
    }
    // A map hands out keys that are added while it is walked.
    for (const next of writers.get(one) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, one);
  }
  return undefined;
}
