import * as z from 'zod';
import { type MlModelDeclaration, MlSource, type ScriptDeclaration, ScriptSource } from '../ir/index.js';
import { type BackendName, backendNames, backends } from '../ml/backends.js';
import { devicePattern } from '../ml/devices.js';
import { type Arguments, defined, natural, nonEmptyText, plainText, positive, show } from './arguments.js';
import { callUserFunction } from './call-user-function.js';
import type { MlModelOptions, PlacementOptions, ScriptOptions } from './options.js';

const device = z.string().regex(devicePattern, "devices are 'CPU', 'GPU' or 'GPU:1'");
const names = z
  .array(nonEmptyText)
  .min(1, 'it is empty')
  .refine((list) => new Set(list).size === list.length, 'a name stands in it twice');
const placementKeys = ['device', 'devicesPerNode', 'firstDevice', 'orchestrator'] as const;

function placement(checked: Arguments, options: Partial<PlacementOptions>) {
  const where = checked.optional(device, options.device, 'device') ?? 'CPU';
  const node = defined({
    device: where,
    devicesPerNode: checked.optional(positive, options.devicesPerNode, 'devicesPerNode'),
    firstDevice: checked.optional(natural, options.firstDevice, 'firstDevice'),
    orchestrator: checked.optional(nonEmptyText, options.orchestrator, 'orchestrator'),
  });
  if ((node.devicesPerNode ?? 1) > 1 && where !== 'GPU') {
    const message = `${checked.call}: devicesPerNode needs device 'GPU', not '${where}'`;
    checked.problems.error('DSL1001', message, checked.at);
  }
  if ((node.firstDevice ?? 0) > 0 && where !== 'GPU') {
    checked.problems.error('DSL1001', `${checked.call}: firstDevice needs device 'GPU', not '${where}'`, checked.at);
  }
  return node;
}

/** A source made by one of our functions, else a problem that shows how to write it. */
function sourceOf<T>(checked: Arguments, schema: z.ZodType<T>, source: unknown, ways: string): T | undefined {
  const result = schema.safeParse(source);
  if (result.success) return result.data;
  const inner =
    typeof source === 'object' && source !== null ? Object.entries(source).find(([key]) => key !== 'kind') : undefined;
  const value = inner === undefined ? source : inner[1];
  checked.problems.error(
    'DSL1001',
    `${checked.call}: its source cannot be ${show(value)}`,
    checked.at,
    `write ${ways}`,
  );
  return undefined;
}

/** What `.addMlModel()` was given. */
export function mlModelNode(
  checked: Arguments,
  name: string,
  source: MlSource,
  given: MlModelOptions,
): MlModelDeclaration | undefined {
  const options = checked.options<MlModelOptions>(given, [
    'backend',
    'batchSize',
    'minBatchSize',
    'minBatchTimeout',
    'tag',
    'inputs',
    'outputs',
    ...placementKeys,
  ]);
  const key = checked.take(nonEmptyText, name, 'the name of the ML model');
  const bytes = sourceOf(checked, MlSource, source, "mlFile('model.onnx') or mlBytes(bytes)");
  const backend = checked.choice(backendNames, options.backend, 'backend');
  if (options.backend === undefined) {
    const message = `.addMlModel(): ML model ${show(name)} needs a backend`;
    checked.problems.error('DSL1001', message, checked.at, `there are: ${backendNames.join(', ')}`);
  }
  const node = defined({
    ...placement(checked, options),
    batchSize: checked.optional(positive, options.batchSize, 'batchSize'),
    minBatchSize: checked.optional(positive, options.minBatchSize, 'minBatchSize'),
    minBatchTimeoutMs: checked.optional(positive, options.minBatchTimeout, 'minBatchTimeout'),
    tag: checked.optional(plainText, options.tag, 'tag'),
    inputs: checked.optional(names, options.inputs, 'inputs'),
    outputs: checked.optional(names, options.outputs, 'outputs'),
  });
  if (node.minBatchSize !== undefined && node.batchSize === undefined) {
    checked.problems.error('DSL1001', '.addMlModel(): minBatchSize needs batchSize beside it', checked.at);
  }
  if (node.minBatchTimeoutMs !== undefined && node.minBatchSize === undefined) {
    checked.problems.error('DSL1001', '.addMlModel(): minBatchTimeout needs minBatchSize beside it', checked.at);
  }
  checkGraphNames(checked, name, backend, options);
  if (key === undefined || bytes === undefined || backend === undefined) return undefined;
  return { kind: 'ml-model', at: checked.at, name: key, source: bytes, backend, ...node };
}

/** A TensorFlow graph's file does not say what its inputs and outputs are; the others' files do. */
function checkGraphNames(
  checked: Arguments,
  name: string,
  backend: BackendName | undefined,
  given: Partial<MlModelOptions>,
): void {
  if (backend === undefined) return;
  if (backends[backend].needsNames) {
    const absent = (['inputs', 'outputs'] as const).filter((option) => given[option] === undefined);
    if (absent.length === 0) return;
    const message = `.addMlModel(): ML model ${show(name)} uses backend ${backend}, which needs the names of its inputs and outputs`;
    checked.problems.error(
      'DSL1012',
      message,
      checked.at,
      `add ${absent.map((option) => `${option}: [...]`).join(' and ')}`,
    );
    return;
  }
  for (const option of ['inputs', 'outputs'] as const) {
    if (given[option] === undefined) continue;
    const message = `.addMlModel(): ${option} is for backend TF, and ${show(name)} uses ${backend}`;
    checked.problems.error('DSL1012', message, checked.at, `leave ${option} out: the file has its names`);
  }
}

/** What `.addScript()` was given. */
export function scriptNode(
  checked: Arguments,
  name: string,
  source: ScriptSource,
  given: ScriptOptions | undefined,
): ScriptDeclaration | undefined {
  const text = sourceOf(checked, ScriptSource, source, "scriptFile('script.py') or scriptText('def …')");
  return script(checked, name, text, given);
}

/** What `.addFunction()` was given; the function is called here. */
export function functionNode(
  checked: Arguments,
  name: string,
  source: () => string,
  given: ScriptOptions | undefined,
): ScriptDeclaration | undefined {
  return script(checked, name, textOf(checked, source), given);
}

function textOf(checked: Arguments, source: unknown): ScriptSource | undefined {
  const hint = "it takes no arguments and returns TorchScript: () => 'def double(x): …'";
  if (typeof source !== 'function') {
    checked.problems.error('DSL1013', `.addFunction(): ${show(source)} is no function`, checked.at, hint);
    return undefined;
  }
  const result = callUserFunction(checked, 'DSL1013', () => source() as unknown);
  if (result === undefined) return undefined;
  const { returned } = result;
  if (typeof returned === 'string' && returned.trim() !== '') return { kind: 'text', text: returned };
  const what = returned instanceof Promise ? 'a promise' : show(returned);
  checked.problems.error('DSL1013', `.addFunction(): the function returned ${what}`, checked.at, hint);
  return undefined;
}

function script(
  checked: Arguments,
  name: string,
  source: ScriptSource | undefined,
  given: ScriptOptions | undefined,
): ScriptDeclaration | undefined {
  const options = checked.options(given, placementKeys);
  const key = checked.take(nonEmptyText, name, 'the name of the script');
  const node = placement(checked, options);
  return key === undefined || source === undefined
    ? undefined
    : { kind: 'script', at: checked.at, name: key, source, ...node };
}
