import * as z from 'zod';
import {
  type Ask,
  describeScheduler,
  gatherShapes,
  type NodeShape,
  noAnswer,
  type Probed,
  type Queue,
  type SchedulerFacts,
} from '../probe.js';

/** PBS writes numbers with and without quotes. */
const number = z.coerce.number();

const Server = z.object({
  Server: z.record(
    z.string(),
    z.object({
      default_queue: z.string().optional(),
      pbs_version: z.string().optional(),
      max_array_size: number.optional(),
    }),
  ),
});
const Queues = z.object({
  Queue: z.record(
    z.string(),
    z.object({
      queue_type: z.string(),
      resources_max: z.object({ walltime: z.string().optional(), nodect: number.optional() }).optional(),
    }),
  ),
});
const Nodes = z.object({
  nodes: z.record(
    z.string(),
    z.object({
      resources_available: z.object({
        ncpus: number.optional(),
        ngpus: number.optional(),
        mem: z.union([z.string(), z.number()]).optional(),
      }),
      /** The one queue that may use it. */
      queue: z.string().optional(),
    }),
  ),
});

/** Asks `qstat` and `pbsnodes`. */
export async function probePbs(ask: Ask): Promise<Probed<SchedulerFacts>> {
  const [server, queues, nodes] = await Promise.all([
    ask('qstat', '-B', '-f', '-F', 'json'),
    ask('qstat', '-Q', '-f', '-F', 'json'),
    ask('pbsnodes', '-a', '-F', 'json'),
  ]);
  if (!server.ok) return noAnswer('pbs', undefined, server.why);
  const facts = parsePbs(server.stdout, queues.stdout, nodes.stdout);
  return { facts, findings: describeScheduler(facts) };
}

/** The three documents as facts; what cannot be read is not known. */
export function parsePbs(serverText: string, queuesText: string, nodesText: string): SchedulerFacts {
  const server = Object.entries(parse(Server, serverText)?.Server ?? {})[0];
  const [cluster, { default_queue: defaultQueue, pbs_version: version, max_array_size: maxArraySize } = {}] =
    server ?? [];
  const nodes = Object.values(parse(Nodes, nodesText)?.nodes ?? {});
  const shapesOf = (queue: string): NodeShape[] =>
    gatherShapes(
      nodes
        .filter((node) => node.queue === undefined || node.queue === queue)
        .map(({ resources_available: { ncpus = 1, ngpus = 0, mem } }) => ({
          cores: ncpus,
          gpus: ngpus,
          memoryMiB: mem === undefined ? undefined : mebibytes(String(mem)),
        })),
    );
  const queues = Object.entries(parse(Queues, queuesText)?.Queue ?? {})
    .filter(([, { queue_type: type }]) => /^e/i.test(type))
    .map(
      ([name, { resources_max: limits = {} }]): Queue => ({
        name,
        isDefault: name === defaultQueue,
        shapes: shapesOf(name),
        ...(limits.walltime === undefined ? {} : { maxWalltime: limits.walltime }),
        ...(limits.nodect === undefined ? {} : { maxNodes: limits.nodect }),
      }),
    );
  return {
    name: 'pbs',
    version,
    answers: true,
    ...(cluster === undefined ? {} : { cluster }),
    queues,
    ...(maxArraySize === undefined ? {} : { maxArraySize }),
  };
}

function parse<Schema extends z.ZodType>(schema: Schema, text: string): z.infer<Schema> | undefined {
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}

/** MiB of `527907364kb`; PBS's units are powers of 1024, a number alone is bytes. */
export function mebibytes(size: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+)([kmgtp]?)[bw]?$/i.exec(size) ?? [];
  if (amount === undefined) return undefined;
  return Math.floor((Number(amount) * 1024 ** ' kmgtp'.indexOf(unit.toLowerCase() || ' ')) / 1024 ** 2) || undefined;
}
