import { defineSite } from 'simwright';

/*
 * A PBS site with PALS: Polaris, at ALCF.
 *
 * From the public documentation:
 *   https://docs.alcf.anl.gov/polaris/getting-started/  a node: 32 cores (one AMD EPYC), four NVIDIA A100, 512 GiB
 *   https://docs.alcf.anl.gov/polaris/running-jobs/     queues (`debug`: 1 to 2 nodes, up to an hour; `debug-scaling`: 1 to 10
 *                                                       nodes, up to an hour; `prod`: 10 to 496 nodes),
 *                                                       select, place, the file systems that every job has to name, and mpiexec
 *                                                       with --ppn, --depth and --cpu-bind
 */
export default defineSite({
  name: 'polaris',
  target: 'pbs',
  launcher: 'pals',
  node: { cores: 32, gpus: 4, memoryMiB: 512 * 1024 },
  maxNodes: 496,
  // Nodes come whole, with all their GPUs.
  gpuDialect: 'none',
  // `prod` refuses jobs of fewer than 10 nodes; larger and longer ones name it: .batch({ queue: 'prod' }).
  defaults: { constraint: 'system=polaris', queue: 'debug-scaling', walltime: '00:30:00' },
  directives: { set: { '-l filesystems': 'home:eagle', '-l place': 'scatter:excl' } },
});
