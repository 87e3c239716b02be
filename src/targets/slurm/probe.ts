import {
  type Ask,
  describeScheduler,
  type Finding,
  type NodeShape,
  noAnswer,
  type Probed,
  type Queue,
  type SchedulerFacts,
} from '../probe.js';

/** Partition, nodes, CPUs, `sockets:cores:threads`, MiB, generic resources: a line a shape and partition. */
const sinfoFormat = '%R|%D|%c|%z|%m|%G';

/** Asks `scontrol`, `sinfo` and `sacct`. */
export async function probeSlurm(ask: Ask): Promise<Probed<SchedulerFacts>> {
  const [program, config, partitions, nodes, ended] = await Promise.all([
    ask('sbatch', '--version'),
    ask('scontrol', 'show', 'config'),
    ask('scontrol', '--oneliner', 'show', 'partition'),
    ask('sinfo', '--noheader', '--exact', '--format', sinfoFormat),
    ask('sacct', '--noheader', '--allocations', '--starttime', 'now', '--format', 'JobID'),
  ]);
  const version = /(\d+\.\d+\S*)/.exec(program.stdout)?.[1];
  if (!config.ok) return noAnswer('slurm', version, config.why);
  const settings = parseConfig(config.stdout);
  const maxArraySize = Number(settings.get('MaxArraySize'));
  const memory = ['DefMemPerNode', 'DefMemPerCPU', 'DefMemPerGPU']
    .map((name) => ({ name, value: settings.get(name) }))
    .find(({ value }) => value !== undefined && /^\d+$/.test(value));
  const cluster = settings.get('ClusterName');
  const facts: SchedulerFacts = {
    name: 'slurm',
    version,
    answers: true,
    ...(cluster === undefined ? {} : { cluster }),
    queues: parsePartitions(partitions.stdout, parseNodes(nodes.stdout)),
    ...(maxArraySize > 0 ? { maxArraySize } : {}),
    ...(memory === undefined ? {} : { defaultMemory: `${memory.name} ${memory.value} MiB` }),
    hasAccounting: ended.ok && !/none$/.test(settings.get('AccountingStorageType') ?? 'none'),
  };
  return { facts, findings: [...describeScheduler(facts), judgeAccounting(facts.hasAccounting === true, settings)] };
}

function judgeAccounting(isThere: boolean, settings: ReadonlyMap<string, string>): Finding {
  const topic = 'Accounting';
  if (isThere) return { topic, verdict: 'ok', message: 'sacct knows jobs that have ended' };
  const message = `there is none: Slurm forgets jobs ${settings.get('MinJobAge') ?? 'some time'} after their end`;
  const advice = "results and states are in the experiment's own run/ folder all the same";
  return { topic, verdict: 'warning', message, advice };
}

/** Lines `Name = value` of `scontrol show config`. */
export function parseConfig(text: string): Map<string, string> {
  const lines = text.split('\n').flatMap((line) => {
    const [, name = '', value = ''] = /^(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    return name === '' ? [] : [[name, value] as const];
  });
  return new Map(lines);
}

/** Node shapes by partition. */
export function parseNodes(text: string): Map<string, NodeShape[]> {
  const byPartition = new Map<string, NodeShape[]>();
  for (const line of text.split('\n')) {
    const [partition = '', nodes, cpus, layout = '', memory, resources = ''] = line.trim().split('|');
    if (partition === '' || cpus === undefined) continue;
    const [sockets = 0, coresPerSocket = 0] = layout.split(':').map(Number);
    const cores = sockets * coresPerSocket;
    const shape: NodeShape = {
      nodes: Number(nodes),
      // With several threads a core Slurm counts those.
      cores: cores > 0 ? Math.min(cores, Number(cpus)) : Number(cpus),
      ...(cores > 0 && Number(cpus) > cores ? { threadsPerCore: Math.round(Number(cpus) / cores) } : {}),
      gpus: gpusIn(resources),
      memoryMiB: Number(memory) > 1 ? Number(memory) : undefined,
    };
    byPartition.set(partition, addShape(byPartition.get(partition) ?? [], shape));
  }
  return byPartition;
}

/** Adds nodes to those of the same shape; lines may differ in fields that are not read. */
function addShape(shapes: readonly NodeShape[], { nodes, ...shape }: NodeShape): NodeShape[] {
  const isSame = (other: NodeShape) =>
    other.cores === shape.cores &&
    other.threadsPerCore === shape.threadsPerCore &&
    other.gpus === shape.gpus &&
    other.memoryMiB === shape.memoryMiB;
  const same = shapes.find(isSame);
  const others = shapes.filter((other) => other !== same);
  return [...others, { ...shape, nodes: nodes + (same?.nodes ?? 0) }].sort((a, b) => b.nodes - a.nodes);
}

/** GPUs of `gpu:a100:4(S:0-1),nvme:1`; `(null)` has none. */
export function gpusIn(resources: string): number {
  return [...resources.matchAll(/(?:^|,)gpu(?::[^:,(]+)?:(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Lines of `scontrol --oneliner show partition`. */
export function parsePartitions(text: string, shapes: ReadonlyMap<string, readonly NodeShape[]>): Queue[] {
  return text.split('\n').flatMap((line): Queue[] => {
    const value = (name: string) => new RegExp(`(?:^|\\s)${name}=(\\S*)`).exec(line)?.[1];
    const name = value('PartitionName');
    if (name === undefined) return [];
    const limit = value('MaxTime');
    const maxNodes = Number(value('MaxNodes'));
    return [
      {
        name,
        isDefault: value('Default') === 'YES',
        shapes: shapes.get(name) ?? [],
        ...(limit === undefined || limit === 'UNLIMITED' ? {} : { maxWalltime: limit }),
        ...(maxNodes > 0 ? { maxNodes } : {}),
      },
    ];
  });
}
