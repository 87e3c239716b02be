import { command, experiment } from 'simwright';

/** The same on one node: the store is the simulation's own, over a Unix socket, and the analysis runs beside it. */
export default experiment('cylinder-colocated')
  .batch({ walltime: '00:10:00' })

  .model('simulation', command('python3', 'simulate.py', '--analyse').env({ OMP_NUM_THREADS: 1 }))
    .params({ REYNOLDS: 100, CELLS: 8, END_TIME: 60 })
    .attach({ copy: '*.py', configure: 'cylinder.in' })
    .colocate({ uds: true })
    .enableKeyPrefixing()
    .registerIncomingEntity('simulation');
