import type { SiteInput } from '../../ir/index.js';

/** A node with GPUs: one processor of 64 cores, four GPUs. */
const gpuNode = { cores: 64, gpus: 4, memoryMiB: 487 * 1024 };

/** Nodes of queues that give them to one job. */
const alone = { exclusive: true };

/** Derecho at the National Center for Atmospheric Research: PBS with Cray's mpiexec, 128 cores or four NVIDIA GPUs a node. */
export const derecho: SiteInput = {
  name: 'derecho',
  target: 'pbs',
  launcher: 'pals',
  node: { cores: 128, gpus: 0, gpuMaker: 'nvidia', memoryMiB: 235 * 1024 },
  maxNodes: 2488,
  gpuDialect: 'ngpus',
  queues: {
    main: { maxNodes: 2488, maxWalltime: '12:00:00', node: alone },
    'main-gpu': { queue: 'main', maxNodes: 82, maxWalltime: '12:00:00', node: { ...gpuNode, ...alone } },
    preempt: { maxNodes: 2488, maxWalltime: '100:00:00', chargeFactor: 0.2, node: alone },
    'preempt-gpu': {
      queue: 'preempt',
      maxNodes: 82,
      maxWalltime: '100:00:00',
      chargeFactor: 0.2,
      node: { ...gpuNode, ...alone },
    },
    develop: { maxNodes: 2, maxWalltime: '06:00:00' },
    'develop-gpu': { queue: 'develop', maxNodes: 2, maxWalltime: '06:00:00', node: gpuNode },
  },
  defaults: { queue: 'main' },
  required: ['account'],
  sources: {
    about: 'Derecho, NSF National Center for Atmospheric Research',
    read: '2026-11-29',
    pages: {
      queues: {
        title: 'Job submission queues and charges',
        url: 'https://ncar-hpc-docs.readthedocs.io/en/latest/pbs/charging/',
        dated: '2026-05-19',
      },
      machine: {
        title: 'Derecho',
        url: 'https://ncar-hpc-docs.readthedocs.io/en/latest/compute-systems/derecho/',
        dated: '2026-05-19',
      },
      scripts: {
        title: 'Derecho batch job script examples',
        url: 'https://ncar-hpc-docs.readthedocs.io/en/latest/pbs/job-scripts/derecho-job-script-examples/',
        dated: '2026-05-19',
      },
      pbs: {
        title: 'Portable Batch System (PBS) Job Scripts',
        url: 'https://ncar-hpc-docs.readthedocs.io/en/latest/pbs/job-scripts/',
        dated: '2026-05-19',
      },
    },
    facts: {
      target: { page: 'pbs', says: 'jobs are submitted to PBS by qsub' },
      launcher: {
        page: 'scripts',
        says: 'cray-mpich: mpiexec --cpu-bind depth -n 64 -ppn 32 -d 4, the options of PALS',
      },
      'node.cores': { page: 'machine', says: 'a CPU node has two processors of 64 cores; ncpus=128 is all of it' },
      'node.gpus': { page: 'machine', says: 'CPU nodes have none' },
      'node.gpuMaker': { page: 'machine', says: 'NVIDIA A100' },
      'node.memoryMiB': { page: 'queues', says: '235 GB of the 256 GB of a CPU node' },
      maxNodes: { page: 'queues', says: 'Derecho queues: 2488 CPU nodes' },
      gpuDialect: { page: 'scripts', says: 'select=2:ncpus=64:mpiprocs=4:ngpus=4' },
      'queues.main': { page: 'queues', says: "main: 12 hours, nodes are a job's alone, 2488 CPU nodes" },
      'queues.main-gpu': { page: 'queues', says: 'main: jobs that ask for GPUs get the 82 GPU nodes' },
      'queues.main-gpu.node': { page: 'machine', says: '64 cores and four GPUs; 487 GB of 512 GB (queues)' },
      'queues.preempt': {
        page: 'queues',
        says: 'preempt: 100 hours, charged at 0.2 of the regular rate; jobs may be ended, with a short grace, for those of other queues',
      },
      'queues.preempt.node': { page: 'queues', says: 'the same nodes as main' },
      'queues.preempt-gpu': { page: 'queues', says: 'preempt: the same nodes as main' },
      'queues.preempt-gpu.node': { page: 'machine', says: '64 cores and four GPUs; 487 GB of 512 GB (queues)' },
      'queues.develop': { page: 'queues', says: 'develop: 6 hours, 256 cores, shared nodes' },
      'queues.develop-gpu': { page: 'queues', says: 'develop: 6 hours, 8 GPUs, shared nodes' },
      'queues.develop-gpu.node': { page: 'machine', says: '64 cores and four GPUs; 487 GB of 512 GB (queues)' },
      'defaults.queue': { page: 'queues', says: 'most jobs are submitted to main' },
      required: { page: 'pbs', says: '-A is the project code; every script has one' },
    },
    open: [
      'all cores of a node: the pages recommend ncpus=128 for jobs of main: .batch({ exclusive: true })',
      'charges: regular priority is meant; .batch({ directives: { set: { "-l job_priority": "premium" } } }) charges 1.5, economy 0.7; jobs of develop are charged for what they ask for only',
      'binding of tasks to GPUs: the script set_gpu_rank of ncarenv does it, and breaks arguments with blanks; a wrapper of your own has to end in exec "$@"',
      'modules: programs with GPUs need the cuda module loaded, or nodes may lock up: .setup({ modules: ["cuda"] })',
      "the network interface between nodes: the address of the host's name is taken; ip -brief address on a compute node tells",
      "the longest job array: 10000 is assumed, PBS' own default",
    ],
  },
};
