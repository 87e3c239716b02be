import type { SiteInput } from '../../ir/index.js';

/** Aurora at the Argonne Leadership Computing Facility: PBS with PALS, six Intel GPUs a node. */
export const aurora: SiteInput = {
  name: 'aurora',
  target: 'pbs',
  launcher: 'pals',
  node: {
    cores: 102,
    threadsPerCore: 2,
    schedulerCounts: 'threads',
    gpus: 6,
    gpuMaker: 'intel',
    memoryMiB: 1024 * 1024,
    exclusive: true,
  },
  maxNodes: 10_624,
  gpuDialect: 'none',
  wrapper: { words: ['gpu_dev_compact.sh'], when: 'gpuPerTask' },
  queues: {
    debug: { minWalltime: '00:05:00', maxNodes: 2, maxWalltime: '01:00:00', maxJobs: 1 },
    'debug-scaling': { minNodes: 2, maxNodes: 256, minWalltime: '00:05:00', maxWalltime: '01:00:00', maxJobs: 1 },
    prod: {
      minNodes: 256,
      minWalltime: '00:05:00',
      bins: [
        { maxNodes: 1024, maxWalltime: '12:00:00' },
        { maxNodes: 1999, maxWalltime: '18:00:00' },
        { maxNodes: 10_624, maxWalltime: '24:00:00' },
      ],
    },
    capacity: { minWalltime: '00:05:00', maxNodes: 16, maxWalltime: '168:00:00', maxJobs: 5 },
  },
  defaults: { queue: 'prod' },
  directives: { set: { '-l filesystems': 'home:flare', '-l place': 'scatter' } },
  required: ['account', 'walltime'],
  networkInterface: 'hsn0',
  sources: {
    about: 'Aurora, Argonne Leadership Computing Facility',
    read: '2026-11-29',
    pages: {
      machine: { title: 'Aurora Machine Overview', url: 'https://docs.alcf.anl.gov/aurora/', dated: '2026-08-19' },
      jobs: {
        title: 'Running Jobs on Aurora',
        url: 'https://docs.alcf.anl.gov/aurora/running-jobs-aurora/',
        dated: '2026-08-19',
      },
      pbs: {
        title: 'Running Jobs with PBS at the ALCF',
        url: 'https://docs.alcf.anl.gov/running-jobs/',
        dated: '2026-08-19',
      },
      parsl: {
        title: 'Parsl on Aurora',
        url: 'https://docs.alcf.anl.gov/aurora/workflows/parsl/',
        dated: '2026-08-19',
      },
    },
    facts: {
      target: { page: 'pbs', says: 'jobs are submitted to PBS Professional' },
      launcher: { page: 'jobs', says: 'Aurora MPICH: mpiexec comes from the Cray PALS system' },
      'node.cores': {
        page: 'jobs',
        says: 'MPI rank and thread binding: of 104 cores, 0 and 52 are reserved for the system since 2025-03-31',
      },
      'node.threadsPerCore': { page: 'machine', says: 'Cores/Threads: 104/208' },
      'node.schedulerCounts': { page: 'pbs', says: 'ncpus is a hardware thread' },
      'node.gpus': {
        page: 'machine',
        says: 'six Intel Data Center GPU Max 1550, of two tiles each; a GPU is a device by default (ZE_FLAT_DEVICE_HIERARCHY=COMPOSITE)',
      },
      'node.gpuMaker': { page: 'machine', says: 'Intel Data Center GPU Max' },
      'node.memoryMiB': {
        page: 'machine',
        says: 'CPU DRAM: 2 × 512 GiB (and 2 × 64 GiB of HBM); jobs get somewhat less',
      },
      'node.exclusive': { page: 'pbs', says: 'whole nodes are scheduled: they are set to force_exclhost' },
      maxNodes: { page: 'jobs', says: 'Queues: prod takes at most 10,624 nodes, in theory' },
      gpuDialect: { page: 'pbs', says: 'whole nodes are scheduled, with all their GPUs' },
      wrapper: {
        page: 'jobs',
        says: 'Binding MPI ranks to GPUs: gpu_dev_compact.sh, which is on the PATH, gives each rank of a node a GPU in turn',
      },
      'queues.debug': { page: 'jobs', says: 'Queues: 1 to 2 nodes, 5 minutes to 1 hour, one job of a user' },
      'queues.debug-scaling': {
        page: 'jobs',
        says: 'Queues: 2 to 256 nodes, 5 minutes to 1 hour, one job of a user',
      },
      'queues.prod': {
        page: 'jobs',
        says: 'Queues: 256 to 10,624 nodes; it routes to small (to 1024 nodes, 12 hours), medium (to 1999, 18 hours) and large (24 hours)',
      },
      'queues.capacity': {
        page: 'jobs',
        says: 'Queues: 1 to 16 nodes, 5 minutes to 168 hours, five jobs of a user queued or running',
      },
      'defaults.queue': { page: 'pbs', says: 'the default queue is prod' },
      'directives.set.-l filesystems': {
        page: 'pbs',
        says: 'every job has to name its file systems; home and flare are those of the examples for Aurora (daos_user is another)',
      },
      'directives.set.-l place': { page: 'pbs', says: 'scatter puts each chunk on a node of its own' },
      required: { page: 'pbs', says: '-A, walltime and filesystems are mandatory' },
      networkInterface: {
        page: 'parsl',
        says: 'address_by_interface("hsn0") reaches nodes over the Slingshot network',
      },
    },
    open: [
      'a task for each of the twelve tiles: node: { gpus: 12 } and wrapper: { words: ["gpu_tile_compact.sh"], when: "gpuPerTask" } in a site that extends this one; not together with the frameworks module, which makes each tile a device',
      'CPUs by list: --cpu-bind=depth may put a task across both sockets; the page gives lists for 12 ranks (.launcherArgs)',
      "the longest job array: 10000 is assumed, PBS' own default",
    ],
  },
};
