import * as z from 'zod';
import { directiveText } from './directive-text.js';
import { engineNames } from './engines.js';
import { LauncherArgs } from './launcher-args.js';
import { looksSecret } from './secret-names.js';
import { NodeShape, SiteQueue, walltimeText } from './site-queue.js';
import { SiteSources } from './site-sources.js';

/** Systems that scripts are written for. */
export const TargetName = z.enum(['local', 'slurm', 'pbs', 'lsf', 'cobalt', 'sge']);
export type TargetName = z.infer<typeof TargetName>;

/** Programs that start an application's tasks. */
export const LauncherName = z.enum(['srun', 'mpirun', 'mpiexec', 'orterun', 'pals', 'aprun', 'jsrun', 'none']);
export type LauncherName = z.infer<typeof LauncherName>;

/** Name of an {@link engines engine}. */
export const EngineName = z.enum(engineNames);
export type EngineName = z.infer<typeof EngineName>;

/** Ways of asking for GPUs. */
export const GpuDialect = z.enum(['gpus-per-node', 'gres', 'ngpus', 'gpu', 'none']);
export type GpuDialect = z.infer<typeof GpuDialect>;

/**
 * Directives by flag: those never to write, and those to write with a value (`''`: the flag alone) or instead of ours. A flag that
 * stands for many things is named with its resource: `-l walltime`, `-R select`.
 */
export const DirectiveEdits = z.strictObject({
  drop: z.array(z.string()).default([]),
  set: z
    .record(
      z.string().regex(/^\S+( \S+)?$/, 'a flag, or a flag and its resource: "-q", "-l walltime"'),
      z.union([directiveText, z.literal(''), z.number()]),
    )
    .default({}),
});
export type DirectiveEdits = z.infer<typeof DirectiveEdits>;

/** Name of a scheduler's object as the site has called it: one word. */
const ownName = z.string().regex(/^[\w.-]+$/, 'letters, digits, "_", "." and "-"');

/** A resource that the site has named, and the unit that its amount is counted for. */
export const NamedResource = z.strictObject({ name: ownName, per: z.enum(['slot', 'node', 'job']).default('slot') });
export type NamedResource = z.infer<typeof NamedResource>;

/** Options by launcher. */
const ArgsByLauncher = z.partialRecord(LauncherName.exclude(['none']), LauncherArgs);

/** A program that starts each task: its words stand between those of the launcher and those of the task. */
export const Wrapper = z.strictObject({
  words: z
    .tuple([z.string().regex(/^(\/[^\0\n]*[^/\0\n]|[^/\s]+)$/, 'an absolute path, or the plain name of a program')])
    .rest(z.string().regex(/^[^\0\n]*$/, 'one line')),
  /**
   * Launches that have it: those that ask for GPUs, all, or those that give each task one GPU while no other application
   * is on their nodes: the launches of which a program may give task N of a node GPU N. @default gpus
   */
  when: z.enum(['gpus', 'always', 'gpuPerTask']).default('gpus'),
});
export type Wrapper = z.infer<typeof Wrapper>;

const absolutePath = z.string().regex(/^\/[^\0\n]*[^/\0\n]$/, "an absolute path: '/sw/redisai/redisai.so'");

/** The site's RedisAI: programs and folders of the compute nodes. */
export const RedisAi = z.strictObject({
  /** The module, `redisai.so`. */
  module: absolutePath,
  /** Folder of its backends, each in one of its own: `redisai_onnxruntime/redisai_onnxruntime.so`. @default `backends` beside the module */
  backends: absolutePath.optional(),
  /** The `redis-server` that it was built for. @default the first that is found, as for the engine `redis` */
  server: absolutePath.optional(),
});
export type RedisAi = z.infer<typeof RedisAi>;

const fields = z.strictObject({
  name: z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]*$/, 'a letter, then letters, digits, "_", "." or "-"'),
  target: TargetName,
  /** @default the target's own */
  launcher: LauncherName.optional(),
  /** Options of launchers, by launcher, for every launch, stores' too. A workflow's own take their place. */
  launcherArgs: ArgsByLauncher.default({}),
  /** The same, for launches of applications that ask for GPUs only. */
  gpuLauncherArgs: ArgsByLauncher.default({}),
  wrapper: Wrapper.optional(),
  /** Variables that every job exports, before anything else. */
  env: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/, 'letters, digits and "_"'), z.string().regex(/^[^\0\n]*$/, 'one line'))
    .default({}),
  /** Environment modules that every job loads, in this order. */
  modules: z.array(z.string()).default([]),
  /** Lines of shell that every job runs before anything else. */
  preamble: z.array(z.string()).default([]),
  /** Edits of the directives that the target writes. */
  directives: DirectiveEdits.default({ drop: [], set: {} }),
  /** Options that request GPUs. `gres`: `--gres=gpu:N` a node; `gpus-per-node`; `none`: nodes come with theirs. @default the target's usual one */
  gpuDialect: GpuDialect.optional(),
  /**
   * Parallel environments, where the scheduler gives CPUs and nodes by them: one that keeps all slots on one host, one that gives each host
   * the same number (`mpi-{slots}`; without `{slots}`, one), of which `slots` lists those that there are, and one that fills hosts up.
   */
  parallelEnvironments: z
    .strictObject({
      oneNode: ownName.optional(),
      perNode: z
        .string()
        .regex(/^[\w.{}-]+$/, 'the name of a parallel environment, with {slots} for the slots on each host')
        .optional(),
      slots: z.array(z.int().positive()).min(1).optional(),
      fillUp: ownName.optional(),
    })
    .default({}),
  /** Names of resources that each site chooses itself: memory and GPUs of a job, and the one by which it gets whole nodes. */
  resources: z
    .strictObject({ memory: NamedResource.optional(), gpus: NamedResource.optional(), wholeNode: ownName.optional() })
    .default({}),
  /** Blocks of the script's template by name, each replaced by this text (nunjucks; `{{ super() }}` is the block it replaces). */
  blocks: z.record(z.string(), z.string()).default({}),
  /** Engine of stores, unless the workflow names one. @default embedded */
  engine: EngineName.optional(),
  /** RedisAI of the site, for stores of the engine `redisai`. @default what `RAI_PATH` and `REDIS_PATH` of the job name, as for SmartSim */
  redisai: RedisAi.optional(),
  /** Shape of a node, as far as it is known. */
  node: NodeShape.default({}),
  /** Queues by the names that workflows use. If there are any, jobs are held to their limits. */
  queues: z.record(directiveText, SiteQueue).default({}),
  /** Things that every job has to name, itself or by `defaults`. */
  required: z.array(z.enum(['account', 'queue', 'qos', 'constraint', 'walltime'])).default([]),
  /** Nodes that one job may have. */
  maxNodes: z.int().positive().optional(),
  /** Elements that one job array may have. @default the target's own */
  maxArraySize: z.int().positive().optional(),
  defaults: z
    .strictObject({
      queue: directiveText.optional(),
      account: directiveText.optional(),
      qos: directiveText.optional(),
      constraint: directiveText.optional(),
      walltime: walltimeText.optional(),
    })
    .default({}),
  /** Network interface that nodes reach each other by. @default the address of the host's name */
  networkInterface: z.string().optional(),
  /** Node.js on the compute nodes: a program of the PATH, or an absolute path. @default node */
  nodeCommand: z.string().default('node'),
  /** Folder on the shared file system with ONNX Runtime in its node_modules. */
  runtimePath: z.string().optional(),
  /**
   * Python that stores run PyTorch, TensorFlow and TensorFlow Lite with: an absolute path, or a program of the job's PATH.
   * @default `$SIMWRIGHT_PYTHON` of the job, else python3
   */
  python: z
    .string()
    .regex(
      /^(\/[^\0\n]*[^/\0\n]|[^/\s]+)$/,
      "an absolute path, or the plain name of a program: '/opt/ml/bin/python3', 'python3.11'",
    )
    .optional(),
  /** Sources of the fields above: `site show` prints them. Scripts do not depend on them. */
  sources: SiteSources.optional(),
});

/** The properties of a cluster: plain data in a file of its own. */
export const Site = fields.superRefine(({ env, node, queues, defaults }, context) => {
  const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  for (const [name, value] of Object.entries(env)) {
    if (!looksSecret(name, value)) continue;
    refuse(['env', name], 'it looks like a secret, and a site is a file that many read: let each user bring their own');
  }
  const shapes = Object.entries(queues).map(([name, queue]) => ({ path: ['queues', name], node: queue.node }));
  for (const { path, node: own } of [{ path: [], node }, ...shapes]) {
    if ((own?.schedulerCounts ?? node.schedulerCounts) !== 'threads') continue;
    if (own === undefined || (own.threadsPerCore ?? node.threadsPerCore) !== undefined) continue;
    refuse([...path, 'node', 'schedulerCounts'], 'say how many threads a core has, too: threadsPerCore');
  }
  const chosen = Object.entries(queues).filter(([, queue]) => queue.default === true);
  for (const [name] of chosen.slice(1)) {
    refuse(['queues', name, 'default'], `'${chosen[0]?.[0]}' is the default already`);
  }
  if (chosen.length > 0 && defaults.queue !== undefined && defaults.queue !== chosen[0]?.[0]) {
    refuse(['defaults', 'queue'], `'${chosen[0]?.[0]}' is the default of queues: name one of them only`);
  }
});
export type Site = z.infer<typeof Site>;

/** A site as its author writes it: defaults left out. */
export type SiteInput = z.input<typeof Site>;

/** Names of a site's fields. */
export const siteFields: readonly string[] = Object.keys(fields.shape);

/** The same with every field optional, and null for what the other site says and this one does not. */
type Changes<Value> = Value extends readonly unknown[]
  ? Value
  : Value extends object
    ? { [Key in keyof Value]?: Changes<Value[Key]> | null }
    : Value;

/**
 * A site as its author writes it that is another one with changes: a built-in site or one of a file by name, or a site itself. Objects are
 * merged key by key; every other value, a list too, takes the place of the other site's, and null takes it away.
 */
export type ExtendingSite = Changes<SiteInput> & { readonly extends: string | SiteInput | ExtendingSite };
