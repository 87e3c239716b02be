import { command, experiment } from 'simwright';

/** A flow puts snapshots into the store; tasks on the three nodes of a Ray cluster take them from there and compute their spectra. */
export default experiment('ray-spectra')
  .batch({ walltime: '00:20:00' })

  .orchestrator()

  .model('flow', command('python3', 'flow.py', '--snapshots=12'))
    .attach({ copy: 'flow.py' })

  .rayCluster('ray', { nodes: 3, cpusPerNode: 2 })

  .model('spectra', command('python3', 'spectra.py', '--snapshots=12'))
    .attach({ copy: 'spectra.py' })
    .usesRay('ray') // starts when all nodes have joined, and finds the cluster by RAY_ADDRESS
    .sharesNodesWith('ray') // runs on a node of the cluster, as Ray likes its drivers best
    .registerIncomingEntity('flow')
    .after('flow', 'started');
