import type { SiteInput } from '../../ir/index.js';

/** Summit at the Oak Ridge Leadership Computing Facility, until 2024: LSF with jsrun. A model for other machines with JSM. */
export const summit: SiteInput = {
  name: 'summit',
  target: 'lsf',
  launcher: 'jsrun',
  node: { cores: 42, gpus: 6, gpuMaker: 'nvidia', memoryMiB: 512 * 1024 },
  maxNodes: 4608,
  directives: { set: { '-alloc_flags': 'smt1' } },
  queues: {
    batch: {
      bins: [
        { maxNodes: 45, maxWalltime: '02:00:00' },
        { maxNodes: 91, maxWalltime: '06:00:00' },
        { maxNodes: 921, maxWalltime: '12:00:00' },
        { maxNodes: 4608, maxWalltime: '24:00:00' },
      ],
      maxJobs: 100,
    },
    'batch-hm': { maxNodes: 54, maxWalltime: '24:00:00', maxJobs: 25 },
    killable: { maxNodes: 91, maxWalltime: '24:00:00' },
    debug: { maxWalltime: '02:00:00', maxJobs: 1 },
  },
  defaults: { queue: 'batch' },
  required: ['account'],
  sources: {
    about: 'Summit, Oak Ridge Leadership Computing Facility, taken out of service on 2024-11-15',
    read: '2026-11-29',
    pages: {
      guide: {
        title: 'Summit User Guide',
        url: 'https://docs.olcf.ornl.gov/systems/summit_user_guide.html',
        dated: '2026-07-22',
      },
    },
    facts: {
      target: { page: 'guide', says: 'jobs are submitted to LSF by bsub' },
      launcher: { page: 'guide', says: 'jsrun launches resource sets; scripts run on a launch node' },
      'node.cores': {
        page: 'guide',
        says: 'System Service Core Isolation: 42 cores; one of each socket is kept for the system',
      },
      'node.gpus': { page: 'guide', says: 'six NVIDIA V100' },
      'node.gpuMaker': { page: 'guide', says: 'NVIDIA V100' },
      'node.memoryMiB': { page: 'guide', says: '512 GB of DDR4 (2 TB on high-memory nodes); jobs get somewhat less' },
      maxNodes: { page: 'guide', says: 'Job Priority by Processor Count: the largest bin ends at 4,608 nodes' },
      'directives.set.-alloc_flags': {
        page: 'guide',
        says: 'Hardware Threads: smt1 gives each core one thread; the default is smt4',
      },
      'queues.batch': {
        page: 'guide',
        says: 'Job Priority by Processor Count: 2 hours to 45 nodes, 6 to 91, 12 to 921, 24 above; 100 jobs of a user',
      },
      'queues.batch-hm': { page: 'guide', says: 'batch-hm Queue Policy: 54 nodes, 24 hours, 25 jobs of a user' },
      'queues.killable': {
        page: 'guide',
        says: 'killable Queue Policy: to 91 nodes, 24 hours; jobs may be preempted after 2 (to 45 nodes) or 6 hours',
      },
      'queues.debug': { page: 'guide', says: 'debug Queue Policy: 2 hours, one job of a user in any state' },
      'defaults.queue': { page: 'guide', says: 'batch is the default queue' },
      required: { page: 'guide', says: 'Batch Scripts: -P names the project; every script has one' },
    },
    open: [
      'the network interface that launch nodes and compute nodes have in common: stores need it (networkInterface)',
      'several tasks on one GPU: -alloc_flags "gpumps smt1"; the guide warns of programs built with CUDA later than 11.0.3',
      "the longest job array: 1000 is assumed, LSF's own default",
    ],
  },
};
