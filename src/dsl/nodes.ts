import * as z from 'zod';
import {
  type AfterDeclaration,
  type AttachDeclaration,
  type BatchDeclaration,
  type ColocatedDeclaration,
  directiveHint,
  directivePattern,
  Event,
  type MlModelDeclaration,
  MlSource,
  namePattern,
  type OrchestratorDeclaration,
  type ParamsDeclaration,
  ParamValue,
  parseMemoryMiB,
  parseWalltime,
  walltimeHint,
} from '../ir/index.js';
import { type Arguments, defined, memoryHint, nonEmptyText, plainText, positive, show, texts } from './arguments.js';
import type {
  AttachOptions,
  BatchOptions,
  MlModelOptions,
  OrchestratorOptions,
  ParamsOptions,
  ParamValues,
  StoreLimits,
} from './types.js';

/*
 * One function a call: its arguments, checked, as a node of the declaration.
 */

const port = z.int().min(1, 'ports start at 1').max(65535, 'ports end at 65535');
const oneOrMore = z.union([plainText, texts]);
const directiveText = z.string().regex(directivePattern, directiveHint);
const storeId = z.string().regex(namePattern, 'it starts with a letter and holds letters, digits, "_", "." and "-"');

const limitKeys = [
  'cpus',
  'threadsPerQueue',
  'interOpThreads',
  'intraOpThreads',
  'maxClients',
  'maxMemory',
] as const satisfies readonly (keyof StoreLimits)[];

function storeLimits(checked: Arguments, options: Partial<StoreLimits>) {
  return defined({
    cpus: checked.optional(positive, options.cpus, 'cpus'),
    threadsPerQueue: checked.optional(positive, options.threadsPerQueue, 'threadsPerQueue'),
    interOpThreads: checked.optional(positive, options.interOpThreads, 'interOpThreads'),
    intraOpThreads: checked.optional(positive, options.intraOpThreads, 'intraOpThreads'),
    maxClients: checked.optional(positive, options.maxClients, 'maxClients'),
    maxMemoryMiB: checked.parse('DSL1006', options.maxMemory, parseMemoryMiB, memoryHint),
  });
}

export function batchNode(checked: Arguments, given: BatchOptions): BatchDeclaration {
  const options = checked.options(given, [
    'nodes',
    'walltime',
    'account',
    'queue',
    'qos',
    'reservation',
    'constraint',
    'exclusive',
    'gpusPerNode',
    'memory',
    'modules',
    'preamble',
    'mode',
    'maxConcurrent',
  ]);
  return defined({
    kind: 'batch',
    at: checked.at,
    nodes: checked.optional(positive, options.nodes, 'nodes'),
    walltimeSeconds: checked.parse('DSL1005', options.walltime, parseWalltime, walltimeHint),
    account: checked.optional(directiveText, options.account, 'account'),
    queue: checked.optional(directiveText, options.queue, 'queue'),
    qos: checked.optional(directiveText, options.qos, 'qos'),
    reservation: checked.optional(directiveText, options.reservation, 'reservation'),
    constraint: checked.optional(directiveText, options.constraint, 'constraint'),
    exclusive: checked.optional(z.boolean(), options.exclusive, 'exclusive'),
    gpusPerNode: checked.optional(positive, options.gpusPerNode, 'gpusPerNode'),
    memoryMiB: checked.parse('DSL1006', options.memory, parseMemoryMiB, memoryHint),
    modules: checked.optional(texts, options.modules, 'modules'),
    preamble: checked.optional(texts, options.preamble, 'preamble'),
    mode: checked.optional(z.enum(['packed', 'array']), options.mode, 'mode'),
    maxConcurrent: checked.optional(positive, options.maxConcurrent, 'maxConcurrent'),
  });
}

export function paramsNode(
  checked: Arguments,
  kind: 'model' | 'ensemble',
  given: ParamValues,
  options: ParamsOptions | undefined,
): ParamsDeclaration {
  const { strategy, asArgs } = checked.options(options, ['strategy', 'asArgs']);
  const values: Record<string, ParamValue | ParamValue[]> = {};
  for (const [name, value] of Object.entries(given)) {
    const usable = paramValues(checked, kind, name, value);
    if (usable !== undefined) values[name] = usable;
  }
  const named = checked.optional(texts, asArgs, 'asArgs') ?? [];
  for (const name of named) {
    if (Object.hasOwn(given, name)) continue;
    const hint = `its parameters are: ${Object.keys(given).join(', ')}`;
    checked.problems.error('DSL1008', `.params(): asArgs names '${name}', which is no parameter`, checked.at, hint);
  }
  return {
    kind: 'params',
    at: checked.at,
    values,
    strategy: checked.optional(z.enum(['all-perm']), strategy, 'strategy') ?? 'all-perm',
    asArgs: named,
  };
}

function paramValues(
  checked: Arguments,
  kind: 'model' | 'ensemble',
  name: string,
  value: ParamValue | readonly ParamValue[],
): ParamValue | ParamValue[] | undefined {
  const problem = (text: string, hint: string) => {
    checked.problems.error('DSL1008', `.params(): ${name} ${text}`, checked.at, hint);
    return undefined;
  };
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) return problem('is an empty list, so there would be no members', 'give at least one value');
  if (Array.isArray(value) && kind === 'model') {
    return problem(
      'is a list, and a model has one value a parameter',
      "use .ensemble() to run each of a list's values",
    );
  }
  for (const item of list) {
    if (typeof item === 'number' && !Number.isFinite(item))
      return problem(`holds ${item}`, 'numbers have to be finite');
    if (!ParamValue.safeParse(item).success || String(item).includes('\0')) {
      return problem(`cannot hold ${show(item)}`, 'values are texts, numbers and booleans, or lists of them');
    }
  }
  return Array.isArray(value) ? [...list] : (value as ParamValue);
}

export function attachNode(checked: Arguments, given: AttachOptions): AttachDeclaration {
  const options = checked.options(given, ['copy', 'symlink', 'configure', 'tag']);
  const list = (value: string | readonly string[] | undefined, what: string) =>
    [checked.optional(oneOrMore, value, what) ?? []].flat();
  const tag = checked.optional(plainText, options.tag, 'tag') ?? ';';
  if (tag === '' || /[A-Za-z0-9_.\s-]/.test(tag)) {
    const hint = 'use one or more signs that are no letters, digits, blanks, "_", "." or "-"';
    checked.problems.error('TMPL1003', `.attach(): ${show(tag)} cannot delimit tags`, checked.at, hint);
  }
  return {
    kind: 'attach',
    at: checked.at,
    copy: list(options.copy, 'copy'),
    symlink: list(options.symlink, 'symlink'),
    configure: list(options.configure, 'configure'),
    tag,
  };
}

/** Any mix of the keys of both forms, as it may come from code that the types did not check. */
type LooseColocateOptions = StoreLimits & {
  id?: string;
  tcp?: boolean;
  uds?: boolean;
  port?: number;
  socket?: string;
  permissions?: number;
};

export function colocatedNode(checked: Arguments, given: LooseColocateOptions): ColocatedDeclaration {
  const options = checked.options(given, ['tcp', 'uds', 'port', 'socket', 'permissions', 'id', ...limitKeys]);
  if ((options.tcp === true) === (options.uds === true)) {
    checked.problems.error(
      'DSL1001',
      '.colocate() needs either tcp or uds',
      checked.at,
      'say { uds: true } or { tcp: true }',
    );
  }
  const permissions = z.int().min(0).max(0o777, 'mode bits are at most 0o777');
  const transport =
    options.tcp === true
      ? defined({ kind: 'tcp' as const, port: checked.optional(port, options.port, 'port') })
      : defined({
          kind: 'uds' as const,
          socket: checked.optional(nonEmptyText, options.socket, 'socket'),
          permissions: checked.optional(permissions, options.permissions, 'permissions'),
        });
  return defined({
    kind: 'colocated',
    at: checked.at,
    transport,
    id: checked.optional(storeId, options.id, 'id'),
    ...storeLimits(checked, options),
  });
}

export function orchestratorNode(
  checked: Arguments,
  given: OrchestratorOptions | undefined,
): Omit<OrchestratorDeclaration, 'name'> {
  const options = checked.options(given, ['name', 'port', 'interface', ...limitKeys]);
  return defined({
    kind: 'orchestrator',
    at: checked.at,
    port: checked.optional(port, options.port, 'port'),
    interface: checked.optional(nonEmptyText, options.interface, 'interface'),
    ...storeLimits(checked, options),
  });
}

export function mlModelNode(
  checked: Arguments,
  name: string,
  source: MlSource,
  given: MlModelOptions,
): MlModelDeclaration | undefined {
  const options = checked.options(given, [
    'backend',
    'device',
    'devicesPerNode',
    'firstDevice',
    'batchSize',
    'minBatchSize',
    'minBatchTimeout',
    'tag',
    'orchestrator',
  ]);
  const device = z.string().regex(/^(CPU|GPU)(:\d{1,5})?$/, "devices are 'CPU', 'GPU' or 'GPU:1'");
  const key = checked.take(nonEmptyText, name, 'the name of the ML model');
  const bytes = checked.take(MlSource, source, 'its source (mlFile or mlBytes)');
  const backend = checked.take(z.enum(['ONNX'], 'the backend there is: ONNX'), options.backend, 'backend');
  const node = defined({
    devicesPerNode: checked.optional(positive, options.devicesPerNode, 'devicesPerNode'),
    firstDevice: checked.optional(z.int().min(0), options.firstDevice, 'firstDevice'),
    batchSize: checked.optional(positive, options.batchSize, 'batchSize'),
    minBatchSize: checked.optional(positive, options.minBatchSize, 'minBatchSize'),
    minBatchTimeoutMs: checked.optional(positive, options.minBatchTimeout, 'minBatchTimeout'),
    tag: checked.optional(plainText, options.tag, 'tag'),
    orchestrator: checked.optional(nonEmptyText, options.orchestrator, 'orchestrator'),
  });
  const where = checked.optional(device, options.device, 'device') ?? 'CPU';
  if ((node.devicesPerNode ?? 1) > 1 && where !== 'GPU') {
    checked.problems.error('DSL1001', `.addMlModel(): devicesPerNode needs device 'GPU', not '${where}'`, checked.at);
  }
  if (node.minBatchSize !== undefined && node.batchSize === undefined) {
    checked.problems.error('DSL1001', '.addMlModel(): minBatchSize needs batchSize beside it', checked.at);
  }
  if (node.minBatchTimeoutMs !== undefined && node.minBatchSize === undefined) {
    checked.problems.error('DSL1001', '.addMlModel(): minBatchTimeout needs minBatchSize beside it', checked.at);
  }
  if (key === undefined || bytes === undefined || backend === undefined) return undefined;
  return { kind: 'ml-model', at: checked.at, name: key, source: bytes, backend, device: where, ...node };
}

export function afterNode(checked: Arguments, name: string, event: Event | undefined): AfterDeclaration | undefined {
  const entity = checked.take(nonEmptyText, name, 'the name');
  const when = checked.optional(Event, event, 'the event');
  return entity === undefined ? undefined : { kind: 'after', at: checked.at, name: entity, event: when ?? 'completed' };
}
