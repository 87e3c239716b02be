import { openMpi } from './open-mpi.js';

/** Open MPI's launcher under its own name. */
export const orterun = openMpi('orterun');
