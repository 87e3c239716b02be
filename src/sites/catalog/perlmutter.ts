import type { SiteInput } from '../../ir/index.js';

const cpuNode = { cores: 128, gpus: 0, memoryMiB: 512 * 1024 };

/** Perlmutter at NERSC: Slurm, whose kinds of nodes are constraints and whose queues are qualities of service. */
export const perlmutter: SiteInput = {
  name: 'perlmutter',
  target: 'slurm',
  launcher: 'srun',
  node: {
    cores: 64,
    threadsPerCore: 2,
    schedulerCounts: 'threads',
    gpus: 4,
    gpuMaker: 'nvidia',
    memoryMiB: 256 * 1024,
  },
  gpuDialect: 'gpus-per-node',
  queues: {
    regular: { qos: 'regular', constraint: 'gpu' },
    debug: { qos: 'debug', constraint: 'gpu' },
    'regular-cpu': { qos: 'regular', constraint: 'cpu', node: cpuNode },
    'debug-cpu': { qos: 'debug', constraint: 'cpu', node: cpuNode },
  },
  required: ['qos', 'constraint'],
  sources: {
    about: 'Perlmutter, National Energy Research Scientific Computing Center',
    read: '2026-11-29',
    pages: {
      policy: { title: 'QOSes and Charges', url: 'https://docs.nersc.gov/jobs/policy/' },
      nodes: { title: 'Node Types at NERSC', url: 'https://docs.nersc.gov/beginner-guide/nodetypesfig' },
      affinity: { title: 'Process and Thread Affinity', url: 'https://docs.nersc.gov/jobs/affinity/' },
      slurm: { title: 'Slurm', url: 'https://docs.nersc.gov/jobs/' },
      users: {
        title: 'Job scripts of AMReX-Astro for Perlmutter, by users of the machine',
        url: 'https://github.com/AMReX-Astro/workflow/tree/main/job_scripts',
      },
    },
    facts: {
      target: { page: 'slurm', says: 'NERSC uses Slurm' },
      launcher: { page: 'slurm', says: "srun starts job steps in a job's nodes" },
      'node.cores': { page: 'nodes', says: 'a GPU node has one AMD EPYC 7763, of 64 cores' },
      'node.threadsPerCore': { page: 'affinity', says: 'each core has two hardware threads (logical CPUs)' },
      'node.schedulerCounts': {
        page: 'affinity',
        says: '-c is the number of logical cores of a task: twice the cores that it is to have',
      },
      'node.gpus': { page: 'nodes', says: 'a GPU node has four NVIDIA A100' },
      'node.gpuMaker': { page: 'nodes', says: 'NVIDIA A100' },
      'node.memoryMiB': { page: 'nodes', says: 'a GPU node has 256 GB; jobs get somewhat less' },
      gpuDialect: { page: 'users', says: "jobs name GPUs in Slurm's usual words, and not by --gres" },
      'queues.regular': { page: 'policy', says: "most jobs are submitted to the regular QOS; -C gpu (users' scripts)" },
      'queues.debug': {
        page: 'policy',
        says: "debug is what a job gets that names no QOS; -C gpu (users' scripts)",
      },
      'queues.regular-cpu': {
        page: 'nodes',
        says: "a CPU node has two AMD EPYC 7763, of 64 cores each, and 512 GB; --constraint=cpu (users' scripts)",
      },
      'queues.debug-cpu': { page: 'nodes', says: 'the same nodes' },
      required: {
        page: 'users',
        says: 'every script names a constraint; a job without a QOS would be a debug job: name a queue of this site',
      },
    },
    open: [
      'limits and charges of each QOS change, and could not be read: take them from the page on QOSes and put them into queues (maxNodes, maxWalltime, chargeFactor, maxJobs)',
      "the account: jobs are charged to your default project, else to .batch({ account }); users' scripts add _g for GPU nodes",
      "the network interface between nodes: the address of the host's name is taken; ip -brief address on a compute node tells",
      "MaxArraySize: 1001 is assumed, Slurm's own default",
    ],
  },
};
