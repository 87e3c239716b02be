import { command, experiment, mlFile, scriptFile } from 'simwright';

/** Turbulent channels on a coarse grid; what happens below their first cell a PyTorch model in the store on their node knows. */
export default experiment('wall-model')
  .batch({ walltime: '00:10:00' })

  .model('channels', command('python3', 'solver.py', '{args}').env({ OMP_NUM_THREADS: 1 }))
    .params({ cells: 32 }, { asArgs: ['cells'] })
    .attach({ copy: ['solver.py', 'channel.py', 'law.py', 'lee-moser-2015.csv'] })
    .colocate({ uds: true, intraOpThreads: 1 }) // a store beside it, over a Unix socket
    .addMlModel('wall-model', mlFile('wall_model.pt'), { backend: 'TORCH' })
    .addScript('wall', scriptFile('wall.py'));
