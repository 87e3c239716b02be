import type * as z from 'zod';
import { type MlModelDeclaration, MlSource, type ScriptDeclaration, ScriptSource } from '../ir/index.js';
import {
  functionOptions,
  mlModelOptions,
  nonEmptyText,
  placementOptions,
  type RecordedOf,
} from '../ir/options/index.js';
import { type BackendName, backendNames, backends } from '../ml/backends.js';
import { type Arguments, show } from './arguments.js';
import { type TensorFunction, tracedSource } from './function-source.js';

type Placement = RecordedOf<typeof placementOptions>;

/** Refuses copies on several devices of a kind that has one. */
function checkPlacement(checked: Arguments, { device, devicesPerNode = 1, firstDevice = 0 }: Placement): void {
  if (device === 'GPU') return;
  const refuse = (option: string) =>
    checked.problems.error('DSL1001', `${checked.call}: ${option} needs device 'GPU', not '${device}'`, checked.at);
  if (devicesPerNode > 1) refuse('devicesPerNode');
  if (firstDevice > 0) refuse('firstDevice');
}

/** A source from `mlFile()` and its like; `undefined`, and a problem, for anything else. */
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

/** An ML model from the arguments of `.addMlModel()`. */
export function mlModelNode(
  checked: Arguments,
  name: unknown,
  source: MlSource,
  given: unknown,
): MlModelDeclaration | undefined {
  const options = checked.options(mlModelOptions, given);
  const key = checked.take(nonEmptyText, name, 'the name of the ML model');
  const bytes = sourceOf(checked, MlSource, source, "mlFile('model.onnx') or mlBytes(bytes)");
  const { backend, ...node } = checked.read(mlModelOptions, options);
  if (options['backend'] === undefined) {
    const message = `.addMlModel(): ML model ${show(name)} needs a backend`;
    checked.problems.error('DSL1001', message, checked.at, `there are: ${backendNames.join(', ')}`);
  }
  checkPlacement(checked, node);
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

/** Checks the names of inputs and outputs: the file of a TensorFlow graph does not have them, files of other backends do. */
function checkGraphNames(
  checked: Arguments,
  name: unknown,
  backend: BackendName | undefined,
  given: Readonly<Record<string, unknown>>,
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

/** A script from the arguments of `.addScript()`. */
export function scriptNode(
  checked: Arguments,
  name: unknown,
  source: ScriptSource,
  given: unknown,
): ScriptDeclaration | undefined {
  const text = sourceOf(checked, ScriptSource, source, "scriptFile('script.py') or scriptText('def …')");
  const options = checked.options(placementOptions, given);
  const key = checked.take(nonEmptyText, name, 'the name of the script');
  return script(checked, key, text, checked.read(placementOptions, options));
}

/** A script from the arguments of `.addFunction()`; the function is called here. */
export function functionNode(
  checked: Arguments,
  name: unknown,
  source: TensorFunction,
  given: unknown,
): ScriptDeclaration | undefined {
  const options = checked.options(functionOptions, given);
  const key = checked.take(nonEmptyText, name, 'the name of the script');
  const { inputs, ...node } = checked.read(functionOptions, options);
  const text = tracedSource(checked, key, source, inputs);
  return script(checked, key, text === undefined ? undefined : { kind: 'text', text }, node);
}

function script(
  checked: Arguments,
  name: string | undefined,
  source: ScriptSource | undefined,
  node: Placement,
): ScriptDeclaration | undefined {
  checkPlacement(checked, node);
  return name === undefined || source === undefined
    ? undefined
    : { kind: 'script', at: checked.at, name, source, ...node };
}
