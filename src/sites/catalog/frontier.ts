import type { SiteInput } from '../../ir/index.js';

/** Frontier at the Oak Ridge Leadership Computing Facility: Slurm, eight AMD GPUs a node. */
export const frontier: SiteInput = {
  name: 'frontier',
  target: 'slurm',
  launcher: 'srun',
  node: { cores: 56, gpus: 8, gpuMaker: 'amd', memoryMiB: 512 * 1024 },
  maxNodes: 9472,
  gpuDialect: 'none',
  launcherArgs: { srun: { 'threads-per-core': 1 } },
  gpuLauncherArgs: { srun: { 'gpu-bind': 'closest' } },
  directives: { set: { '-S': 8 } },
  queues: {
    batch: {
      bins: [
        { maxNodes: 91, maxWalltime: '02:00:00' },
        { maxNodes: 183, maxWalltime: '06:00:00' },
        { maxNodes: 9472, maxWalltime: '12:00:00' },
      ],
      maxJobs: 100,
    },
    extended: { maxNodes: 64, maxWalltime: '24:00:00', maxJobs: 100 },
    debug: { qos: 'debug', maxWalltime: '02:00:00', maxJobs: 1 },
  },
  defaults: { queue: 'batch' },
  required: ['account'],
  networkInterface: 'hsn0',
  sources: {
    about: 'Frontier, Oak Ridge Leadership Computing Facility',
    read: '2026-11-29',
    pages: {
      guide: {
        title: 'Frontier User Guide',
        url: 'https://docs.olcf.ornl.gov/systems/frontier_user_guide.html',
        dated: '2026-07-22',
      },
      parsl: { title: 'Parsl', url: 'https://docs.olcf.ornl.gov/software/workflows/parsl.html', dated: '2026-07-22' },
    },
    facts: {
      target: { page: 'guide', says: "Slurm: the workload manager is SchedMD's Slurm" },
      launcher: { page: 'guide', says: 'Srun: the default job launcher is srun; scripts run on the first node' },
      'node.cores': {
        page: 'guide',
        says: 'Low-noise Mode Layout: of 64 cores, one of each of the eight L3 regions is reserved (-S 8); 56 are allocatable',
      },
      'node.gpus': {
        page: 'guide',
        says: 'Frontier Compute Nodes: four MI250X of two dies each, which Slurm shows as eight GPUs',
      },
      'node.gpuMaker': { page: 'guide', says: 'GPUs: AMD MI250X' },
      'node.memoryMiB': { page: 'guide', says: 'Frontier Compute Nodes: 512 GB of DDR4; jobs get somewhat less' },
      maxNodes: { page: 'guide', says: 'Job Priority by Node Count: the largest bin ends at 9,472 nodes' },
      gpuDialect: {
        page: 'guide',
        says: 'Batch Scripts, GPU Mapping: scripts ask for nodes, which come with all GPUs; srun alone names them (--gpus-per-task)',
      },
      'launcherArgs.srun': {
        page: 'guide',
        says: 'Srun Format: -c counts physical cores with --threads-per-core=1, which is the default',
      },
      'gpuLauncherArgs.srun': {
        page: 'guide',
        says: 'Mapping 1 GPU per task: --gpus-per-task=1 --gpu-bind=closest gives each task the GPU of its L3 region',
      },
      'directives.set.-S': {
        page: 'guide',
        says: 'Low-noise Mode Layout: -S 8 is the default; written out, since node.cores depends on it (-S 0 gives 64 cores)',
      },
      'queues.batch': {
        page: 'guide',
        says: 'Job Priority by Node Count: 2 hours to 91 nodes, 6 to 183, 12 above; at most 100 jobs of a user in all partitions',
      },
      'queues.extended': {
        page: 'guide',
        says: 'extended Partition Policy: at most 64 nodes, 24 hours; at most 100 jobs of a user in all partitions',
      },
      'queues.debug': {
        page: 'guide',
        says: 'debug Quality of Service Class: -q debug, at most 2 hours, one job of a user in any state; no production work',
      },
      'defaults.queue': { page: 'guide', says: 'Common Slurm Options: -p, the default is batch' },
      required: { page: 'guide', says: 'Batch Scripts: every script names the project to charge (-A)' },
      networkInterface: { page: 'parsl', says: 'workers on compute nodes are reached by address_by_interface("hsn0")' },
    },
    open: [
      'the walltime of jobs that name none: name one, .batch({ walltime })',
      "MaxArraySize: 1001 is assumed, Slurm's own default; scontrol show config tells (maxArraySize)",
      'GPU-aware MPI: set MPICH_GPU_SUPPORT_ENABLED=1 by .env() for programs that are linked for it; others end with it',
      'the guide advises against more than 100 srun at a time in one job: give large ensembles .batch({ maxConcurrent: 100 })',
      'local disks: .batch({ constraint: "nvme" }) adds /mnt/bb',
    ],
  },
};
