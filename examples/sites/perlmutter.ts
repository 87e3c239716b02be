import { defineSite } from 'simwright';

/*
 * A Slurm site with GPUs: Perlmutter, at NERSC.
 *
 * From the public documentation:
 *   https://docs.nersc.gov/beginner-guide/nodetypesfig  a GPU node: one AMD EPYC 7763 (64 cores, two hardware threads
 *                                                       each), four NVIDIA A100; a CPU node: two of these processors
 *   https://docs.nersc.gov/jobs/policy/                 queues are qualities of service; most jobs go to `regular`, and a job that
 *                                                       names none goes to `debug`. Their limits and charges change: take the
 *                                                       present ones from there (maxNodes, maxWalltime, chargeFactor)
 *   https://docs.nersc.gov/jobs/                        kinds of nodes are constraints: `gpu`, `cpu`
 *   https://docs.nersc.gov/jobs/affinity/               -c counts hardware threads
 * The account is a project's name: each user gives theirs with .batch({ account }), or in a site that extends this one.
 */
export default defineSite({
  name: 'perlmutter',
  target: 'slurm',
  // Slurm counts hardware threads there: .cpusPerTask(2) becomes --cpus-per-task=4.
  node: { cores: 64, threadsPerCore: 2, schedulerCounts: 'threads', gpus: 4, gpuMaker: 'nvidia' },
  gpuDialect: 'gpus-per-node',
  queues: {
    regular: { default: true, qos: 'regular', constraint: 'gpu' },
    debug: { qos: 'debug', constraint: 'gpu' },
    'regular-cpu': { qos: 'regular', constraint: 'cpu', node: { cores: 128, gpus: 0 } },
    'debug-cpu': { qos: 'debug', constraint: 'cpu', node: { cores: 128, gpus: 0 } },
  },
  defaults: { walltime: '00:30:00' },
});
