import type { SiteInput } from '../../ir/index.js';

/** A node of LUMI-C. */
const cpuNode = { cores: 128, gpus: 0, memoryMiB: 224 * 1024 };

/** Elements of an array are jobs of their own. */
const arraysCount = {
  page: 'batch',
  says: "each job of an array counts as a job: an array larger than the partition's number of jobs is refused",
};

/** LUMI at CSC: Slurm, eight AMD GPUs a node (LUMI-G), and nodes of 128 cores (LUMI-C). */
export const lumi: SiteInput = {
  name: 'lumi',
  target: 'slurm',
  launcher: 'srun',
  node: { cores: 56, gpus: 8, gpuMaker: 'amd', memoryMiB: 512 * 1024 },
  gpuDialect: 'gpus-per-node',
  queues: {
    'standard-g': {
      maxNodes: 1024,
      maxWalltime: '48:00:00',
      maxJobs: 210,
      maxArraySize: 210,
      node: { exclusive: true },
    },
    'small-g': { maxNodes: 4, maxWalltime: '72:00:00', maxJobs: 210, maxArraySize: 210 },
    'dev-g': { maxNodes: 32, maxWalltime: '03:00:00', maxJobs: 2, maxArraySize: 2 },
    standard: {
      maxNodes: 512,
      maxWalltime: '48:00:00',
      maxJobs: 120,
      maxArraySize: 120,
      node: { ...cpuNode, exclusive: true },
    },
    small: {
      maxNodes: 4,
      maxWalltime: '72:00:00',
      maxJobs: 220,
      maxArraySize: 220,
      node: { ...cpuNode, memoryMiB: 1024 * 1024 },
    },
    debug: { maxNodes: 4, maxWalltime: '00:30:00', maxJobs: 2, maxArraySize: 2, node: cpuNode },
    largemem: {
      maxNodes: 1,
      maxWalltime: '24:00:00',
      maxJobs: 30,
      maxArraySize: 30,
      node: { cores: 128, gpus: 0, memoryMiB: 4 * 1024 * 1024 },
    },
  },
  required: ['account', 'queue'],
  sources: {
    about: 'LUMI, CSC',
    read: '2026-11-29',
    pages: {
      partitions: {
        title: 'Slurm partitions',
        url: 'https://docs.lumi-supercomputer.eu/runjobs/scheduled-jobs/partitions/',
        dated: '2024-10-15',
      },
      batch: {
        title: 'Batch jobs',
        url: 'https://docs.lumi-supercomputer.eu/runjobs/scheduled-jobs/batch-job/',
        dated: '2024-10-15',
      },
      lumig: {
        title: 'LUMI-G example batch scripts',
        url: 'https://docs.lumi-supercomputer.eu/runjobs/scheduled-jobs/lumig-job/',
        dated: '2024-10-15',
      },
      lumic: {
        title: 'LUMI-C example batch scripts',
        url: 'https://docs.lumi-supercomputer.eu/runjobs/scheduled-jobs/lumic-job/',
        dated: '2024-10-15',
      },
      hardware: {
        title: 'GPU nodes - LUMI-G',
        url: 'https://docs.lumi-supercomputer.eu/hardware/lumig/',
        dated: '2024-10-15',
      },
      lumid: {
        title: 'Data Analytics Nodes - LUMI-D',
        url: 'https://docs.lumi-supercomputer.eu/hardware/lumid/',
        dated: '2024-10-15',
      },
    },
    facts: {
      target: { page: 'partitions', says: 'partitions of Slurm' },
      launcher: { page: 'lumic', says: 'use srun instead of mpirun or mpiexec' },
      'node.cores': {
        page: 'lumig',
        says: 'low-noise mode: of 64 cores, the first of each of the eight L3 regions is disabled; jobs that ask for 64 never run',
      },
      'node.gpus': { page: 'lumig', says: '--gpus-per-node=8: one GPU (GCD) for each of eight ranks' },
      'node.gpuMaker': { page: 'hardware', says: 'AMD MI250X' },
      'node.memoryMiB': { page: 'hardware', says: '4 × 128 GiB of DDR4; jobs get somewhat less' },
      gpuDialect: { page: 'lumig', says: '#SBATCH --gpus-per-node=8' },
      'queues.standard-g': { page: 'partitions', says: 'whole nodes of LUMI-G: 2 days, 1024 nodes, 210 jobs' },
      'queues.small-g': { page: 'partitions', says: 'parts of nodes of LUMI-G: 3 days, 4 nodes, 210 jobs' },
      'queues.dev-g': { page: 'partitions', says: 'LUMI-G, for debugging: 3 hours, 32 nodes, 2 jobs' },
      'queues.standard': { page: 'partitions', says: 'whole nodes of LUMI-C: 2 days, 512 nodes, 120 jobs' },
      'queues.standard.node': {
        page: 'lumic',
        says: '128 cores; 224 of 256 GB are available to jobs; nodes are exclusive',
      },
      'queues.small': { page: 'partitions', says: 'parts of nodes of LUMI-C: 3 days, 4 nodes, 220 jobs' },
      'queues.small.node': { page: 'partitions', says: 'the nodes of 512 GB and 1 TB are in small' },
      'queues.debug': { page: 'partitions', says: 'LUMI-C, for debugging: 30 minutes, 4 nodes, 2 jobs' },
      'queues.debug.node': { page: 'lumic', says: '128 cores; 224 of 256 GB are available to jobs' },
      'queues.largemem': { page: 'partitions', says: 'LUMI-D, 4 TB: 1 day, 1 node, 30 jobs' },
      'queues.largemem.node': { page: 'lumid', says: '128 cores, 4 TiB' },
      'queues.standard-g.maxArraySize': arraysCount,
      'queues.small-g.maxArraySize': arraysCount,
      'queues.dev-g.maxArraySize': arraysCount,
      'queues.standard.maxArraySize': arraysCount,
      'queues.small.maxArraySize': arraysCount,
      'queues.debug.maxArraySize': arraysCount,
      'queues.largemem.maxArraySize': arraysCount,
      required: {
        page: 'batch',
        says: 'a job without --account is refused, and every example names its partition, since the kind of nodes depends on it',
      },
    },
    open: [
      'charges: core-hours (128 for a node and hour of standard) and GPU-hours (4 of standard-g) are different budgets: set chargeFactor in the queues that you use',
      "binding: the pages bind tasks to the GPUs' cores by number on whole nodes: .cpuBind([49, 57, 17, 25, 1, 9, 33, 41])",
      'memory on standard: the page recommends --mem=0: .batch({ directives: { set: { "--mem": "0" } } })',
      'GPU-aware MPI: set MPICH_GPU_SUPPORT_ENABLED=1 by .env() for programs that are linked for it',
      'the network interface between nodes: pages say only that names begin with hsn; ip -brief address on a compute node tells (networkInterface: "hsn0")',
      'the text that was read is of 2024-10-15: compare partitions and limits with the present page',
    ],
  },
};
