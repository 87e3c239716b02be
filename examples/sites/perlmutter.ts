import { defineSite } from 'simwright';

/*
 * A Slurm site with GPUs: the GPU nodes of Perlmutter, at NERSC.
 *
 * From the public documentation:
 *   https://docs.nersc.gov/beginner-guide/nodetypesfig  a GPU node: one AMD EPYC 7763 (64 cores, two hardware threads
 *                                                       each), four NVIDIA A100
 *   https://docs.nersc.gov/jobs/policy/                 queues are qualities of service; most jobs go to `regular`, and a job that
 *                                                       names none goes to `debug`
 *   https://docs.nersc.gov/jobs/                        kinds of nodes are constraints: `gpu`, `cpu`
 * The account is a project's name: each user gives theirs with .batch({ account }), or the site's owner in `defaults`.
 */
export default defineSite({
  name: 'perlmutter',
  target: 'slurm',
  // Slurm counts hardware threads there: .cpusPerTask(2) is a core for each task.
  node: { cores: 128, gpus: 4 },
  gpuDialect: 'gpus-per-node',
  defaults: { constraint: 'gpu', qos: 'regular', walltime: '00:30:00' },
});
