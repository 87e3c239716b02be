import type { Problems } from '../../diagnostics/index.js';
import { type ApplicationDeclaration, addedOf, declaredMembers, type Members, memberCount } from '../../ir/index.js';

/** Largest number of combinations that a seeded permutation can number. */
const mostCombinations = 2 ** 52;

/** An application's members, as axes and a strategy. It is a problem if there are too many to number, or lists beside members added by hand. */
export function expandAxes(application: ApplicationDeclaration, problems: Problems): Members {
  const members = declaredMembers(application);
  const { name, params } = application;
  const combinations = members.strategy === 'random' ? memberCount(members.axes) : members.count;
  if (!Number.isSafeInteger(members.count) || combinations > mostCombinations) {
    const message = `'${name}' has ${combinations} combinations of parameters, and at most ${mostCombinations} can be numbered`;
    problems.error('PLAN1005', message, params?.at, 'take out a parameter, or shorten a list');
    return { strategy: 'all-perm', axes: [], replicas: 1, count: 1 };
  }
  if (addedOf(application).length > 0) {
    const lists = Object.entries(params?.values ?? {}).filter(([, value]) => Array.isArray(value));
    for (const [parameter] of lists) {
      const message = `.params(): ${parameter} is a list, and the members of '${name}' were added by hand`;
      problems.error('DSL1008', message, params?.at, 'give each .addModel() its own value, or leave .addModel() out');
    }
  }
  return members;
}
