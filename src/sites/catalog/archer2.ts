import type { SiteInput } from '../../ir/index.js';

const large = { memoryMiB: 512 * 1024 };

/** ARCHER2 at EPCC: Slurm, 128 cores a node; a job names a partition and a quality of service. */
export const archer2: SiteInput = {
  name: 'archer2',
  target: 'slurm',
  launcher: 'srun',
  node: { cores: 128, gpus: 0, memoryMiB: 256 * 1024, exclusive: true },
  maxNodes: 5860,
  launcherArgs: { srun: { hint: 'nomultithread', distribution: 'block:block' } },
  queues: {
    standard: { queue: 'standard', qos: 'standard', maxNodes: 1024, maxWalltime: '24:00:00', maxJobs: 64 },
    highmem: {
      queue: 'highmem',
      qos: 'highmem',
      maxNodes: 256,
      maxWalltime: '24:00:00',
      maxJobs: 16,
      node: large,
    },
    short: { queue: 'standard', qos: 'short', maxNodes: 32, maxWalltime: '00:20:00', maxJobs: 16 },
    long: {
      queue: 'standard',
      qos: 'long',
      maxNodes: 64,
      minWalltime: '24:00:00',
      maxWalltime: '96:00:00',
      maxJobs: 16,
    },
    largescale: {
      queue: 'standard',
      qos: 'largescale',
      minNodes: 1025,
      maxNodes: 5860,
      maxWalltime: '12:00:00',
      maxJobs: 8,
    },
    taskfarm: { queue: 'standard', qos: 'taskfarm', maxNodes: 16, maxWalltime: '24:00:00', maxJobs: 128 },
    lowpriority: {
      queue: 'standard',
      qos: 'lowpriority',
      maxNodes: 2048,
      maxWalltime: '24:00:00',
      maxJobs: 16,
      chargeFactor: 0,
    },
  },
  defaults: { queue: 'standard' },
  required: ['account', 'queue', 'qos'],
  networkInterface: 'hsn0',
  sources: {
    about: 'ARCHER2, EPCC at the University of Edinburgh',
    read: '2026-11-29',
    pages: {
      scheduler: {
        title: 'Running jobs on ARCHER2',
        url: 'https://docs.archer2.ac.uk/user-guide/scheduler/',
        dated: '2026-06-24',
      },
      hardware: {
        title: 'ARCHER2 hardware',
        url: 'https://docs.archer2.ac.uk/user-guide/hardware/',
        dated: '2026-06-24',
      },
      python: { title: 'Using Python', url: 'https://docs.archer2.ac.uk/user-guide/python/', dated: '2026-06-24' },
    },
    facts: {
      target: { page: 'scheduler', says: 'jobs are submitted to Slurm by sbatch' },
      launcher: { page: 'scheduler', says: 'srun: launching parallel jobs' },
      'node.cores': { page: 'hardware', says: 'two EPYC 7742 of 64 cores' },
      'node.gpus': { page: 'hardware', says: 'the compute nodes have none; four nodes for development do' },
      'node.memoryMiB': { page: 'hardware', says: '256 GB (standard); the system keeps some' },
      'node.exclusive': { page: 'scheduler', says: 'Primary resource: --exclusive is enforced' },
      maxNodes: { page: 'scheduler', says: 'Partitions: standard has 5860 nodes' },
      'launcherArgs.srun.hint': {
        page: 'scheduler',
        says: 'srun: --hint=nomultithread leaves the second thread of each core alone; -c counts cores then',
      },
      'launcherArgs.srun.distribution': {
        page: 'scheduler',
        says: 'srun: without --distribution=block:block the placement of processes may lead to a drop in performance',
      },
      'queues.standard': { page: 'scheduler', says: 'QoS: 1024 nodes, 24 hours, 64 jobs queued' },
      'queues.highmem': { page: 'scheduler', says: 'QoS: 256 nodes, 24 hours, 16 jobs queued; partition highmem' },
      'queues.highmem.node': { page: 'hardware', says: '512 GB (high memory)' },
      'queues.short': { page: 'scheduler', says: 'QoS: 32 nodes, 20 minutes, 16 jobs queued' },
      'queues.long': { page: 'scheduler', says: 'QoS: 64 nodes, 24 to 96 hours, 16 jobs queued' },
      'queues.largescale': { page: 'scheduler', says: 'QoS: 1025 to 5860 nodes, 12 hours, 8 jobs queued' },
      'queues.taskfarm': { page: 'scheduler', says: 'QoS: 16 nodes, 24 hours, 128 jobs queued' },
      'queues.lowpriority': { page: 'scheduler', says: 'QoS: 2048 nodes, 24 hours, 16 jobs queued; not charged' },
      'defaults.queue': { page: 'scheduler', says: 'the partition and QoS of the examples' },
      required: {
        page: 'scheduler',
        says: 'Resource Limits: partition and QoS have to be named, and the budget (--account)',
      },
      networkInterface: { page: 'python', says: 'Dask: workers on compute nodes are reached by interface hsn0' },
    },
    open: [
      'file systems: compute nodes do not see /home (Data management and transfer, user-guide/data): compile into a folder of /work, and keep Node.js and Python there',
      'memory: jobs have their nodes to themselves, whatever --mem says; the page proposes 1500M a core for several programs on a node',
      '--export=none, which the page recommends, is not used: what submit.sh says to a job travels in its environment',
      "MaxArraySize: 1001 is assumed, Slurm's own default",
    ],
  },
};
