import { command, experiment, mlFile } from 'simwright';

/** Two cavities with a store of their own on their node, over a Unix socket; each holds itself against the table. */
export default experiment('cavity-colocated')
  .batch({ walltime: '00:10:00' })

  .ensemble('cavity', command('node', 'solver.mjs', '--check'))
    .params({ REYNOLDS: [100, 400], LID: 0.15, GRID: 96 })
    .attach({ copy: ['*.mjs', 'ghia1982.csv'], configure: 'cavity.in' })
    .colocate({ uds: true })
    .addMlModel('surrogate', mlFile('surrogate.onnx'), { backend: 'ONNX' })
    .registerIncomingEntity('cavity');
