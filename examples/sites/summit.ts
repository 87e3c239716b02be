import { defineSite } from 'simwright';

/*
 * An LSF site with jsrun: Summit, at OLCF (in service until 2024).
 *
 * From the public documentation:
 *   https://docs.olcf.ornl.gov/systems/summit_user_guide.html   a node: 42 cores for applications (two of the 44 are kept for the
 *                                                               system), six NVIDIA V100, 512 GB; jobs name their project and
 *                                                               nodes (-P, -nnodes), and what is set up on all nodes (-alloc_flags)
 *   https://github.com/olcf-tutorials/jsrun_quick_start_guide   resource sets
 */
export default defineSite({
  name: 'summit',
  target: 'lsf',
  launcher: 'jsrun',
  // smt1: jobs see one thread of each core.
  node: { cores: 42, gpus: 6, gpuMaker: 'nvidia' },
  defaults: { walltime: '00:30:00' },
  directives: { set: { '-alloc_flags': 'gpumps smt1' } },
});
