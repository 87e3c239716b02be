import { command, experiment, mlFile } from 'simwright';

/** Four smaller cavities in Python, with the smartredis package as it is. */
export default experiment('cavity-python')
  .batch({ walltime: '00:10:00' })

  .orchestrator()

  .ensemble('cavity', command('python3', 'solver.py').env({ OMP_NUM_THREADS: 1 }))
    .params({ REYNOLDS: [100, 400], LID: [0.1, 0.15] })
    .attach({ copy: ['solver.py', 'lattice.py'], configure: ['cavity.in'] })
    .addMlModel('diagnostics', mlFile('diagnostics.onnx'), { backend: 'ONNX' })
    .registerIncomingEntity('cavity')

  .model('analysis', command('python3', 'analyse.py'))
    .attach({ copy: ['analyse.py', 'ghia1982.csv'] })
    .registerIncomingEntity('cavity')
    .after('cavity');
