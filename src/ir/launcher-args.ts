import * as z from 'zod';

/** Options of a launcher beyond those it has a name for here: `{ mpi: 'pmix', exclusive: true }`. `true` is the flag alone, `false` none. */
export const LauncherArgs = z.record(z.string().regex(/^\S+$/), z.union([z.string(), z.number(), z.boolean()]));
export type LauncherArgs = z.infer<typeof LauncherArgs>;
