import { defineSite } from 'simwright';

/*
 * A PBS site with PALS: Polaris, at ALCF.
 *
 * From the public documentation:
 *   https://docs.alcf.anl.gov/polaris/getting-started/  a node: 32 cores (one AMD EPYC) of two hardware threads, four NVIDIA
 *                                                       A100, 512 GiB
 *   https://docs.alcf.anl.gov/polaris/running-jobs/     the queues with their limits (`prod` sends jobs on to queues by their
 *                                                       size), select, place, the file systems that every job has to name, and
 *                                                       mpiexec with --ppn, --depth and --cpu-bind
 */
export default defineSite({
  name: 'polaris',
  target: 'pbs',
  launcher: 'pals',
  // --depth counts threads by their numbers, of which the first 32 are those of different cores: cores are what is meant.
  node: { cores: 32, threadsPerCore: 2, gpus: 4, gpuMaker: 'nvidia', memoryMiB: 512 * 1024 },
  maxNodes: 496,
  // Nodes come whole, with all their GPUs.
  gpuDialect: 'none',
  queues: {
    debug: { minWalltime: '00:05:00', maxNodes: 2, maxWalltime: '01:00:00' },
    'debug-scaling': { default: true, minWalltime: '00:05:00', maxNodes: 10, maxWalltime: '01:00:00', maxJobs: 1 },
    prod: {
      minNodes: 10,
      minWalltime: '00:05:00',
      bins: [
        { maxNodes: 24, maxWalltime: '03:00:00' },
        { maxNodes: 99, maxWalltime: '06:00:00' },
        { maxNodes: 496, maxWalltime: '24:00:00' },
      ],
    },
    // Jobs may be killed at any time there.
    preemptable: { minWalltime: '00:05:00', maxNodes: 10, maxWalltime: '72:00:00' },
    capacity: { minWalltime: '00:05:00', maxNodes: 4, maxWalltime: '168:00:00', maxJobs: 2 },
  },
  defaults: { constraint: 'system=polaris', walltime: '00:30:00' },
  directives: { set: { '-l filesystems': 'home:eagle', '-l place': 'scatter:excl' } },
});
