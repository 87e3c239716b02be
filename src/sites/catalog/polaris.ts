import type { SiteInput } from '../../ir/index.js';

/** Polaris at the Argonne Leadership Computing Facility: PBS with PALS, four NVIDIA GPUs a node. */
export const polaris: SiteInput = {
  name: 'polaris',
  target: 'pbs',
  launcher: 'pals',
  node: {
    cores: 32,
    threadsPerCore: 2,
    schedulerCounts: 'threads',
    gpus: 4,
    gpuMaker: 'nvidia',
    memoryMiB: 512 * 1024,
    exclusive: true,
  },
  maxNodes: 496,
  gpuDialect: 'none',
  queues: {
    debug: { minWalltime: '00:05:00', maxNodes: 2, maxWalltime: '01:00:00' },
    'debug-scaling': { minWalltime: '00:05:00', maxNodes: 10, maxWalltime: '01:00:00', maxJobs: 1 },
    prod: {
      minNodes: 10,
      minWalltime: '00:05:00',
      bins: [
        { maxNodes: 24, maxWalltime: '03:00:00' },
        { maxNodes: 99, maxWalltime: '06:00:00' },
        { maxNodes: 496, maxWalltime: '24:00:00' },
      ],
    },
    preemptable: { minWalltime: '00:05:00', maxNodes: 10, maxWalltime: '72:00:00' },
    capacity: { minWalltime: '00:05:00', maxNodes: 4, maxWalltime: '168:00:00', maxJobs: 2 },
  },
  defaults: { queue: 'prod', constraint: 'system=polaris' },
  directives: { set: { '-l filesystems': 'home:eagle', '-l place': 'scatter' } },
  required: ['account', 'walltime'],
  sources: {
    about: 'Polaris, Argonne Leadership Computing Facility',
    read: '2026-11-29',
    pages: {
      machine: {
        title: 'Polaris Machine Overview',
        url: 'https://docs.alcf.anl.gov/polaris/',
        dated: '2026-08-19',
      },
      jobs: {
        title: 'Running Jobs on Polaris',
        url: 'https://docs.alcf.anl.gov/polaris/running-jobs/',
        dated: '2026-08-19',
      },
      pbs: {
        title: 'Running Jobs with PBS at the ALCF',
        url: 'https://docs.alcf.anl.gov/running-jobs/',
        dated: '2026-08-19',
      },
      smartsim: {
        title: 'SmartSim and SmartRedis',
        url: 'https://docs.alcf.anl.gov/polaris/workflows/smartsim/',
        dated: '2026-08-19',
      },
    },
    facts: {
      target: { page: 'pbs', says: 'jobs are submitted to PBS Professional' },
      launcher: { page: 'smartsim', says: 'mpiexec is that of PALS: -n, --ppn, --depth, --cpu-bind, --hosts' },
      'node.cores': { page: 'machine', says: 'one EPYC 7543P of 32 cores' },
      'node.threadsPerCore': { page: 'machine', says: 'Cores/Threads: 32/64' },
      'node.schedulerCounts': {
        page: 'pbs',
        says: 'ncpus is a hardware thread: a node of 32 cores with two threads each reports ncpus=64',
      },
      'node.gpus': { page: 'machine', says: 'four NVIDIA A100' },
      'node.gpuMaker': { page: 'machine', says: 'NVIDIA A100' },
      'node.memoryMiB': { page: 'machine', says: 'RAM: 512 GiB; jobs get somewhat less' },
      'node.exclusive': { page: 'pbs', says: 'whole nodes are scheduled: they are set to force_exclhost' },
      maxNodes: { page: 'jobs', says: 'Queues: prod takes at most 496 nodes, and 476 to 486 are recommended' },
      gpuDialect: { page: 'pbs', says: 'whole nodes are scheduled, with all their GPUs' },
      'queues.debug': { page: 'jobs', says: 'Queues: 1 to 2 nodes, 5 minutes to 1 hour' },
      'queues.debug-scaling': { page: 'jobs', says: 'Queues: 1 to 10 nodes, 5 minutes to 1 hour, one job of a user' },
      'queues.prod': {
        page: 'jobs',
        says: 'Queues: 10 to 496 nodes; it routes to small (to 24 nodes, 3 hours), medium (to 99, 6 hours) and large (24 hours)',
      },
      'queues.preemptable': {
        page: 'jobs',
        says: 'Queues: 1 to 10 nodes, 5 minutes to 72 hours; jobs are killed without warning when the nodes are demanded',
      },
      'queues.capacity': {
        page: 'jobs',
        says: 'Queues: 1 to 4 nodes, 5 minutes to 168 hours, two jobs of a user queued or running',
      },
      'defaults.queue': { page: 'pbs', says: 'the default queue is prod' },
      'defaults.constraint': { page: 'pbs', says: 'select=4:system=polaris chooses the machine' },
      'directives.set.-l filesystems': {
        page: 'pbs',
        says: 'every job has to name its file systems, of which there are home and eagle',
      },
      'directives.set.-l place': { page: 'pbs', says: 'scatter puts each chunk on a node of its own' },
      required: { page: 'pbs', says: '-A, walltime and filesystems are mandatory' },
    },
    open: [
      `binding of tasks to GPUs: mpiexec does not do it; put a script such as the page's set_affinity_gpu_polaris.sh on the PATH and name it as wrapper: { words: […], when: "gpuPerTask" }`,
      'several MPI programs at a time on the same nodes: the page on SmartSim wants MPICH_OFI_CXI_PID_BASE to differ between them: .env({ MPICH_OFI_CXI_PID_BASE: "1" })',
      "the network interface between nodes: the address of the host's name is taken; ip -brief address on a compute node tells",
      "the longest job array: 10000 is assumed, PBS' own default",
    ],
  },
};
