import * as z from 'zod';

/** Options of a launcher beyond those it has a name for here: `{ mpi: 'pmix', exclusive: true }`. `true` is the flag alone, `false` none. */
export const LauncherArgs = z.record(z.string().regex(/^\S+$/), z.union([z.string(), z.number(), z.boolean()]));
export type LauncherArgs = z.infer<typeof LauncherArgs>;

/** The name of an option without dashes in front, and with dashes only: launchers read `cpu_bind` and `cpu-bind` as one. */
export function launcherOptionName(name: string): string {
  return name.replace(/^-+/, '').replaceAll('_', '-');
}

/** Options of which each takes the place of the same ones before, by whichever name it is written. */
export function mergeArgs(lists: readonly LauncherArgs[]): LauncherArgs {
  const merged = new Map<string, [string, LauncherArgs[string]]>();
  for (const [key, value] of lists.flatMap((args) => Object.entries(args)))
    merged.set(launcherOptionName(key), [key, value]);
  return Object.fromEntries(merged.values());
}
