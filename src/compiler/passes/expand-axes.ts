import { type ApplicationDeclaration, type Members, memberCount } from '../../ir/index.js';

/** An application's members as axes and a strategy: nothing is listed, whatever their number. */
export function expandAxes(application: ApplicationDeclaration): Members {
  const axes = Object.entries(application.params?.values ?? {}).map(([name, value]) => ({
    name,
    values: Array.isArray(value) ? value : [value],
  }));
  return { strategy: 'all-perm', axes, count: memberCount(axes) };
}
