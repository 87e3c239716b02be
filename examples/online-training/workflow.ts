import { command, experiment } from 'simwright';

/** Four cavities put their flow into the store as it spins up; a network learns it while they run; a fifth cavity asks the network. */
export default experiment('online-training')
  .batch({ walltime: '00:10:00' })

  .orchestrator()

  .model('trainer', command('python3', 'train.py').env({ OMP_NUM_THREADS: 1 }))
    .attach({ copy: ['train.py', 'network.py', 'picture.py'] })
    .registerIncomingEntity('cavity') // reads what they put while they run, and ends after they have

  .ensemble('cavity', command('python3', 'produce.py').env({ OMP_NUM_THREADS: 1 }))
    .params({ REYNOLDS: [100, 180, 320, 560], CELLS: 64, END_TIME: 16 })
    .attach({ copy: ['produce.py', 'cavity.py'] })
    .after('trainer', { key: 'trainer_ready' }) // PyTorch takes its time to start
    .sharesNodesWith('trainer')

  .model('held-out', command('python3', 'judge.py').env({ OMP_NUM_THREADS: 1 }))
    .params({ REYNOLDS: 240, CELLS: 64, END_TIME: 16 })
    .attach({ copy: ['judge.py', 'cavity.py'] })
    .registerIncomingEntity('cavity')
    .after('cavity', 'started') // uses the network as it is being trained
    .sharesNodesWith('cavity');
