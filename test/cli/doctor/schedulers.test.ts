import { describe, expect, test, vi } from 'vitest';
import { mpiKind } from '../../../src/cli/doctor/launchers.js';
import { probeScheduler } from '../../../src/cli/doctor/scheduler.js';
import { parseLsf } from '../../../src/targets/lsf/probe.js';
import { mebibytes, parsePbs } from '../../../src/targets/pbs/probe.js';
import { describeScheduler } from '../../../src/targets/probe.js';
import { gpusIn, parseConfig, parseNodes, parsePartitions } from '../../../src/targets/slurm/probe.js';
import { Workspace } from '../../helpers/workspace.js';

describe('Slurm', () => {
  test('settings', () => {
    const settings = parseConfig(`Configuration data as of 2026-11-28T01:00:00
AccountingStorageType   = accounting_storage/slurmdbd
ClusterName             = vega
DefMemPerCPU            = 2000
MaxArraySize            = 4001
SlurmctldHost[0]        = head(10.0.0.1)

Slurmctld(primary) at head is UP
`);
    expect([...settings]).toEqual([
      ['AccountingStorageType', 'accounting_storage/slurmdbd'],
      ['ClusterName', 'vega'],
      ['DefMemPerCPU', '2000'],
      ['MaxArraySize', '4001'],
    ]);
  });

  const nodes = parseNodes(`cpu|12|128|2:64:1|257000|(null)
cpu|4|128|2:64:1|257000|nvme:1
gpu|3|256|2:64:2|512000|gpu:a100:4(S:0-1)
gpu|1|64|2:32:1|1|gpu:v100:2,gpu:k80:1
`);

  test('shapes of nodes: cores and not threads, lines that differ in other things together', () => {
    expect(nodes.get('cpu')).toEqual([{ nodes: 16, cores: 128, gpus: 0, memoryMiB: 257_000 }]);
    expect(nodes.get('gpu')).toEqual([
      { nodes: 3, cores: 128, threadsPerCore: 2, gpus: 4, memoryMiB: 512_000 },
      { nodes: 1, cores: 64, gpus: 3, memoryMiB: undefined },
    ]);
  });

  test('partitions', () => {
    const partitions = parsePartitions(
      `PartitionName=cpu AllowGroups=ALL AllowQos=ALL Default=YES QoS=N/A DefaultTime=01:00:00 MaxNodes=8 MaxTime=2-00:00:00 State=UP
PartitionName=gpu AllowGroups=ALL Default=NO DefaultTime=NONE MaxNodes=UNLIMITED MaxTime=UNLIMITED State=UP
`,
      nodes,
    );
    expect(partitions).toEqual([
      { name: 'cpu', isDefault: true, shapes: nodes.get('cpu'), maxWalltime: '2-00:00:00', maxNodes: 8 },
      { name: 'gpu', isDefault: false, shapes: nodes.get('gpu') },
    ]);
    const facts = { name: 'slurm', version: '22.05.8', answers: true, cluster: 'vega', queues: partitions } as const;
    expect(describeScheduler({ ...facts, maxArraySize: 4001, defaultMemory: 'DefMemPerCPU 2000 MiB' })).toEqual([
      {
        topic: 'Scheduler',
        verdict: 'ok',
        message: 'slurm 22.05.8, cluster vega, job arrays of 4001, DefMemPerCPU 2000 MiB unless a job says',
      },
      {
        topic: 'Queue',
        verdict: 'ok',
        message: 'cpu (default): 16 nodes of 128 cores, 257000 MiB, at most 2-00:00:00',
      },
      {
        topic: 'Queue',
        verdict: 'ok',
        message: 'gpu: 3 nodes of 128 cores, 4 GPUs, 512000 MiB and 1 node of 64 cores, 3 GPUs',
      },
    ]);
  });

  test.each([
    ['(null)', 0],
    ['gpu:4', 4],
    ['gpu:a100:4(S:0-1)', 4],
    ['gpu:a100_1g.5gb:7,nvme:1', 7],
    ['nvme:1,gpu:2(S:0,1)', 2],
    ['mygpu:4', 0],
  ])('GPUs of %s: %i', (text, count) => {
    expect(gpusIn(text)).toBe(count);
  });
});

describe('PBS', () => {
  test('server, execution queues, and the nodes that each may use', () => {
    const server = { Server: { pbs01: { default_queue: 'workq', pbs_version: '23.06.06', max_array_size: 5000 } } };
    const queues = {
      Queue: {
        workq: { queue_type: 'Execution', resources_max: { walltime: '24:00:00', nodect: 32 } },
        route: { queue_type: 'Route' },
        big: { queue_type: 'Execution' },
      },
    };
    const node = (ncpus: number, mem: string, extra = {}) => ({ resources_available: { ncpus, mem, ...extra } });
    const nodes = {
      nodes: {
        n1: node(32, '527907364kb', { ngpus: '4' }),
        n2: node(32, '527907364kb', { ngpus: 4 }),
        n3: { ...node(128, '2tb'), queue: 'big' },
      },
    };
    expect(parsePbs(JSON.stringify(server), JSON.stringify(queues), JSON.stringify(nodes))).toEqual({
      name: 'pbs',
      version: '23.06.06',
      answers: true,
      cluster: 'pbs01',
      maxArraySize: 5000,
      queues: [
        {
          name: 'workq',
          isDefault: true,
          shapes: [{ nodes: 2, cores: 32, gpus: 4, memoryMiB: 515_534 }],
          maxWalltime: '24:00:00',
          maxNodes: 32,
        },
        {
          name: 'big',
          isDefault: false,
          shapes: [
            { nodes: 2, cores: 32, gpus: 4, memoryMiB: 515_534 },
            { nodes: 1, cores: 128, gpus: 0, memoryMiB: 2_097_152 },
          ],
        },
      ],
    });
  });

  test('documents that are none, or old ones without JSON, leave nothing known', () => {
    expect(parsePbs('Server: pbs01', '', '{"nodes": 3}')).toEqual({
      name: 'pbs',
      version: undefined,
      answers: true,
      queues: [],
    });
  });

  test.each([
    ['527907364kb', 515_534],
    ['8gb', 8192],
    ['1048576', 1],
    ['16mw', 16],
    ['?', undefined],
  ])('%s is %s MiB', (size, expected) => {
    expect(mebibytes(size)).toBe(expected);
  });
});

describe('LSF', () => {
  const texts = {
    id: `IBM Spectrum LSF Standard 10.1.0.13, Apr 15 2022
Copyright International Business Machines Corp. 1992, 2016.

My cluster name is summit
My master name is batch01
`,
    parameters: `    DEFAULT_QUEUE = normal idle
    MAX_JOB_ARRAY_SIZE = 2000
`,
    details: '',
    queues: `QUEUE_NAME      PRIO STATUS          MAX JL/U JL/P JL/H NJOBS  PEND   RUN  SUSP  RSV
normal           30  Open:Active       -    -    -    -     0     0     0     0    0
debug            40  Open:Active       -    -    -    -     0     0     0     0    0
`,
    hosts: `HOST_NAME                       type       model  cpuf ncpus maxmem maxswp server RESOURCES
login1                        X86_64    PC6000   5.0    32  251.4G   4G    Yes (mg)
a01n01                        X86_64    PC6000   5.0    42  512G      -    Yes (CN)
a01n02                        X86_64    PC6000   5.0    42  512G      -    Dyn (CN)
`,
    gpus: `HOST_NAME   gpu_id       gpu_model   gpu_driver   gpu_factor   numa_id
a01n01           0   TeslaV100       450.80     7.0         0
                 1   TeslaV100       450.80     7.0         8
a01n02           0   TeslaV100       450.80     7.0         0
                 1   TeslaV100       450.80     7.0         8
`,
    batchHosts: `HOST_NAME          STATUS          JL/U    MAX  NJOBS    RUN  SSUSP  USUSP    RSV
login1             closed             -      0      0      0      0      0      0
a01n01             ok                 -     42      0      0      0      0      0
a01n02             ok                 -     42      0      0      0      0      0
`,
  };

  test('hosts with slots, their GPUs, queues, and the first default queue', () => {
    const shapes = [{ nodes: 2, cores: 42, gpus: 2, memoryMiB: 524_288 }];
    expect(parseLsf(texts)).toEqual({
      name: 'lsf',
      version: '10.1.0.13',
      answers: true,
      cluster: 'summit',
      maxArraySize: 2000,
      queues: [
        { name: 'normal', isDefault: true, shapes },
        { name: 'debug', isDefault: false, shapes },
      ],
    });
  });

  test('a descendant of OpenLava: the default queue is the one that says so', () => {
    const details = `QUEUE: normal\n  -- For normal jobs.\n\nPARAMETERS/STATISTICS\n------\n\nQUEUE: debug\n  -- Short ones.  This is the default queue.\n`;
    const volclava = { ...texts, id: 'volclava 2.1.1, Jan 01 2025\n\nMy cluster name is hpc\n', parameters: '' };
    const facts = parseLsf({ ...volclava, details });
    expect(facts).toMatchObject({ version: '2.1.1', cluster: 'hpc' });
    expect(facts.queues.map(({ name, isDefault }) => [name, isDefault])).toEqual([
      ['normal', false],
      ['debug', true],
    ]);
    const short = parseLsf({
      ...volclava,
      parameters: 'Default Queues:  debug\nMBD_SLEEP_TIME used for calculations:  10',
    });
    expect(short.queues.find(({ isDefault }) => isDefault)?.name).toBe('debug');
  });

  test('without bhosts the CPUs of lshosts count', () => {
    const { queues } = parseLsf({ ...texts, batchHosts: '', gpus: '' });
    expect(queues[0]?.shapes).toEqual([
      { nodes: 2, cores: 42, gpus: 0, memoryMiB: 524_288 },
      { nodes: 1, cores: 32, gpus: 0, memoryMiB: 257_433 },
    ]);
  });
});

test('the one that answers counts where dead commands of another are installed beside it', async () => {
  const workspace = new Workspace();
  const program = (name: string, body: string) => workspace.write(`bin/${name}`, `#!/bin/sh\n${body}\n`, 0o755);
  program('sbatch', 'echo slurm 22.05.8');
  for (const name of ['scontrol', 'sinfo', 'sacct'])
    program(name, 'echo "Unable to contact slurm controller" >&2; exit 1');
  for (const name of ['bsub', 'bparams', 'bqueues', 'lshosts', 'bhosts']) program(name, ':');
  program('lsid', 'echo "IBM Spectrum LSF Standard 10.1.0.12, Jun 10 2021"; echo "My cluster name is hpc"');
  vi.stubEnv('PATH', workspace.path('bin'));
  try {
    expect((await probeScheduler()).facts).toMatchObject({ name: 'lsf', answers: true, cluster: 'hpc' });
  } finally {
    vi.unstubAllEnvs();
  }
});

test.each([
  ['mpirun (Open MPI) 4.1.4', 'Open MPI'],
  ['mpirun (PRRTE) 3.0.2', 'Open MPI'],
  ['HYDRA build details:\n    Version:                                 4.0.2', 'hydra'],
  ['Intel(R) MPI Library for Linux* OS, Version 2021.7', 'hydra'],
  ['PALS version 1.2.12, API version 2', 'PALS'],
  ['', 'unknown'],
])('%s: %s', (text, kind) => {
  expect(mpiKind(text)).toBe(kind);
});
