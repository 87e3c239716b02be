import { type ApplicationDeclaration, addedOf } from './declaration.js';
import { type Members, memberCount } from './members.js';
import type { ParamValue } from './options/params.js';

/** An application's members as axes and a strategy, so that its size does not depend on their number. */
export function declaredMembers(application: ApplicationDeclaration): Members {
  const { values = {}, strategy = { kind: 'all-perm' } } = application.params ?? {};
  const replicas = application.kind === 'ensemble' ? (application.replicas ?? 1) : 1;
  const added = addedOf(application);
  if (added.length > 0) {
    const common = Object.fromEntries(
      Object.entries(values).filter((entry): entry is [string, ParamValue] => !Array.isArray(entry[1])),
    );
    return explicit(
      added.map(({ params }) => ({ ...common, ...params })),
      replicas,
    );
  }
  if (strategy.kind === 'explicit') return explicit(strategy.assignments, replicas);
  const axes = Object.entries(values).map(([name, value]) => ({
    name,
    values: Array.isArray(value) ? value : [value],
  }));
  const combinations = memberCount(axes);
  switch (strategy.kind) {
    case 'all-perm':
      return { strategy: 'all-perm', axes, replicas, count: combinations * replicas };
    case 'step': {
      const length = Math.max(1, ...axes.map((axis) => axis.values.length));
      return { strategy: 'step', axes, replicas, count: length * replicas };
    }
    case 'random': {
      const assignments = Math.min(strategy.count ?? combinations, combinations);
      return { strategy: 'random', axes, seed: strategy.seed, assignments, replicas, count: assignments * replicas };
    }
  }
}

function explicit(assignments: Record<string, ParamValue>[], replicas: number): Members {
  return { strategy: 'explicit', assignments, replicas, count: assignments.length * replicas };
}
