import { command, experiment, mlFile } from 'simwright';

/** Six lid-driven cavities, a surrogate that each asks for its end, and an analysis that holds all of them against a table. */
export default experiment('cavity')
  .batch({ nodes: 3, walltime: '00:10:00' })

  .orchestrator() // the store: tensors in memory, ONNX models run in place

  .ensemble('cavity', command('node', 'solver.mjs')) // six members: cavity_0 … cavity_5
    .params({ REYNOLDS: [100, 400, 1000], LID: [0.1, 0.15], GRID: 96 })
    .attach({ copy: '*.mjs', configure: 'cavity.in' }) // in cavity.in, tags like ;REYNOLDS; become values
    .addMlModel('surrogate', mlFile('surrogate.onnx'), { backend: 'ONNX' })
    .registerIncomingEntity('cavity') // members read their own keys

  .model('analysis', command('node', 'analyse.mjs'))
    .attach({ copy: ['*.mjs', 'ghia1982.csv'] })
    .registerIncomingEntity('cavity') // reads cavity_0.velocity, cavity_1.velocity, …
    .after('cavity'); // starts when all members have succeeded
