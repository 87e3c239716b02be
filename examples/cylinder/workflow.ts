import { command, experiment } from 'simwright';

/** A simulation puts its fields into the store while it runs; an analysis takes them as they come, and draws them. */
export default experiment('cylinder')
  .batch({ nodes: 2, walltime: '00:10:00' })

  .orchestrator()

  .model('simulation', command('python3', 'simulate.py').env({ OMP_NUM_THREADS: 1 }))
    .params({ REYNOLDS: 100, CELLS: 8, END_TIME: 80 })
    .attach({ copy: ['simulate.py', 'flow.py', 'read_input.py'], configure: 'cylinder.in' })
    .enableKeyPrefixing()

  .model('analysis', command('python3', 'analyse.py').env({ OMP_NUM_THREADS: 1 }))
    .attach({ copy: ['analyse.py', 'picture.py', 'png.py'] })
    .registerIncomingEntity('simulation')
    .after('simulation', 'started');
