import * as z from 'zod';
import { directiveText } from './directive-text.js';
import { parseWalltime, walltimeHint } from './units.js';

const count = z.int().positive();

/** Walltime as sites and workflows write it. */
export const walltimeText = z.string().refine((text) => parseWalltime(text) !== undefined, walltimeHint);

/** Makers of GPUs. */
export const GpuMaker = z.enum(['nvidia', 'amd', 'intel']);
export type GpuMaker = z.infer<typeof GpuMaker>;

/** Names of makers of GPUs, as they write them. */
export const gpuMakerNames: Readonly<Record<GpuMaker, string>> = { nvidia: 'NVIDIA', amd: 'AMD', intel: 'Intel' };

/** Shape of a node, as far as it is known. */
export const NodeShape = z.strictObject({
  cores: count.optional(),
  /** Hardware threads of a core that jobs see (SMT). @default 1 */
  threadsPerCore: count.optional(),
  /** Things that the scheduler counts as CPUs: cores, or the hardware threads of cores. Workflows count cores. @default cores */
  schedulerCounts: z.enum(['cores', 'threads']).optional(),
  gpus: z.int().nonnegative().optional(),
  /** @default not known */
  gpuMaker: GpuMaker.optional(),
  memoryMiB: count.optional(),
  /** Jobs have their nodes to themselves, whether they ask for it or not. @default false */
  exclusive: z.boolean().optional(),
});
export type NodeShape = z.infer<typeof NodeShape>;

/** Walltime that a queue gives to jobs of up to so many nodes. */
const Bin = z.strictObject({ maxNodes: count, maxWalltime: walltimeText });

/** A queue of a site: what it is for the scheduler, the jobs that it takes, and what they cost. */
export const SiteQueue = z
  .strictObject({
    /** Queue or partition by which the scheduler knows it. @default its name here; none, if `qos` is given */
    queue: directiveText.optional(),
    /** Quality of service by which the scheduler knows it. @default `defaults.qos` */
    qos: directiveText.optional(),
    /** Constraint by which its nodes are chosen. @default `defaults.constraint` */
    constraint: directiveText.optional(),
    /** Jobs that name no queue go there. @default false */
    default: z.boolean().optional(),
    minNodes: count.optional(),
    maxNodes: count.optional(),
    minWalltime: walltimeText.optional(),
    maxWalltime: walltimeText.optional(),
    /** Walltimes by the number of nodes, where large jobs may take longer: those of the first with room for the job hold. */
    bins: z.array(Bin).min(1).optional(),
    /** Shape of its nodes, where it differs from that of `node`. */
    node: NodeShape.optional(),
    /** Hours that are charged for an hour of a node. @default 1 */
    chargeFactor: z.number().nonnegative().optional(),
    /** Elements that one job array may have. @default `maxArraySize` of the site */
    maxArraySize: count.optional(),
    /** Jobs that one user may have there at a time, waiting ones included; an array counts as one. */
    maxJobs: count.optional(),
  })
  .superRefine(
    ({ minNodes = 1, maxNodes = Number.POSITIVE_INFINITY, minWalltime, maxWalltime, bins = [] }, context) => {
      const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
      if (minNodes > maxNodes) refuse('minNodes', `${minNodes} is more than maxNodes, ${maxNodes}`);
      if (secondsOf(minWalltime, 0) > secondsOf(maxWalltime, Number.POSITIVE_INFINITY)) {
        refuse('minWalltime', `${minWalltime} is more than maxWalltime, ${maxWalltime}`);
      }
      if (bins.some((bin, index) => index > 0 && bin.maxNodes <= (bins[index - 1]?.maxNodes ?? 0))) {
        refuse('bins', 'sort them by maxNodes, the smallest first');
      }
    },
  );
export type SiteQueue = z.infer<typeof SiteQueue>;

function secondsOf(text: string | undefined, otherwise: number): number {
  return (text === undefined ? undefined : parseWalltime(text)) ?? otherwise;
}

/** Range of nodes or seconds that a queue takes. */
export interface QueueRange {
  readonly least: number;
  readonly most: number;
}

/** Nodes that one job in a queue may have. */
export function nodesOfQueue({ minNodes = 1, maxNodes, bins }: SiteQueue): QueueRange {
  return { least: minNodes, most: maxNodes ?? bins?.at(-1)?.maxNodes ?? Number.POSITIVE_INFINITY };
}

/** Seconds that a job of so many nodes in a queue may take. */
export function secondsOfQueue({ minWalltime, maxWalltime, bins = [] }: SiteQueue, nodes: number): QueueRange {
  const bin = bins.find(({ maxNodes }) => nodes <= maxNodes);
  const most = secondsOf(maxWalltime, Number.POSITIVE_INFINITY);
  return { least: secondsOf(minWalltime, 0), most: Math.min(most, secondsOf(bin?.maxWalltime, most)) };
}
