import { openMpi } from './open-mpi.js';

/** Open MPI's mpirun. */
export const mpirun = openMpi('mpirun');
