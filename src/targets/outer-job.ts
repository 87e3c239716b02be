/*
 * Variables that an outer job has left, where a job is submitted from inside another one, and that the launchers of the new one would read as
 * if they were meant for them. Words of shell for `unset`: `"${!PREFIX@}"` is every variable that begins so.
 */

/** Variables of MPI's process managers: a job must not take the process that it is submitted from for its parent. */
export const mpiVariables: readonly string[] = [
  'PMI_FD',
  'PMI_JOBID',
  'PMI_RANK',
  'PMI_SIZE',
  'PMIX_NAMESPACE',
  'PMIX_RANK',
  startingWith('PMIX_SERVER_'),
  startingWith('OMPI_COMM_WORLD_'),
];

/** Every variable that begins with that text, as a word of shell. */
export function startingWith(prefix: string): string {
  return `"\${!${prefix}@}"`;
}
