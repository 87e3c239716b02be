import * as z from 'zod';
import { directiveText } from './directive-text.js';
import { engineNames } from './engines.js';
import { parseWalltime, walltimeHint } from './units.js';

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

/** The properties of a cluster: plain data in a file of its own. */
export const Site = z.strictObject({
  name: z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]*$/, 'a letter, then letters, digits, "_", "." or "-"'),
  target: TargetName,
  /** @default the target's own */
  launcher: LauncherName.optional(),
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
  /** Shape of a node, as far as it is known. */
  node: z
    .strictObject({
      cores: z.int().positive().optional(),
      /** Hardware threads of a core that jobs see (SMT). @default 1 */
      threadsPerCore: z.int().positive().optional(),
      gpus: z.int().nonnegative().optional(),
      memoryMiB: z.int().positive().optional(),
    })
    .default({}),
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
      walltime: z
        .string()
        .refine((text) => parseWalltime(text) !== undefined, walltimeHint)
        .optional(),
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
});
export type Site = z.infer<typeof Site>;

/** A site as its author writes it: defaults left out. */
export type SiteInput = z.input<typeof Site>;
