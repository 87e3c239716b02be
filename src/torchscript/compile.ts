import { type ScriptType, typeOf } from './annotations.js';
import type { Script } from './check.js';
import type { ValueType } from './onnx/graph.js';
import { Refusal } from './problem.js';
import { Interpreter } from './run/interpreter.js';
import { Tensor } from './values/tensor.js';
import { itemsOf, ListValue, type Value } from './values/value.js';

/** A call of a script's function. */
export interface FunctionCall {
  readonly name: string;
  /** True if its parameters are (tensors, keys, args). */
  readonly isEntryPoint: boolean;
  readonly inputs: readonly ValueType[];
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** Tensors that it must return. */
  readonly outputs: number;
}

/** The function as an ONNX model of the inputs in their order. @throws ScriptError */
export function compileFunction({ parsed }: Script, call: FunctionCall): Uint8Array {
  const run = new Interpreter(parsed);
  const called = parsed.functions.find(({ name }) => name === call.name);
  const inputs = call.inputs.map((type) => new Tensor(run.graph.input(type)));
  const found = called?.at ?? 0;
  const result = run.at(found, () => {
    if (called === undefined) throw new Refusal('failed', `Function does not exist: ${call.name}`);
    const types = called.parameters.map(({ annotation }) => typeOf(annotation));
    const positional = call.isEntryPoint
      ? [new ListValue(inputs), new ListValue([...call.keys]), new ListValue([...call.args])]
      : spread(inputs, types);
    return run.callFunction(call.name, { positional, named: new Map() });
  });
  const values = flat(result);
  const outputs = values.map((value) => {
    if (value instanceof Tensor) return value.value;
    throw new ResultError(`Function returned non-tensor values${call.name}`);
  });
  if (values.length !== call.outputs) {
    throw new ResultError(`Function returned unexpected number of outputs - ${call.name}`);
  }
  return run.graph.finish(outputs);
}

/** A function has run and its results are no such tensors as were asked for. The text is RedisAI's. */
export class ResultError extends Error {
  override readonly name = 'ResultError';
}

/** One input a parameter; a list of tensors takes all that are left. More inputs than parameters are left out. */
function spread(inputs: readonly Tensor[], types: readonly ScriptType[]): Value[] {
  let next = 0;
  return types.map((type) => {
    if (type.name === 'List') return new ListValue(inputs.slice(next));
    next += 1;
    return inputs[next - 1] ?? null;
  });
}

/** Members of tuples and lists, however deep. */
function flat(value: Value): Value[] {
  const items = itemsOf(value);
  return items === undefined ? [value] : items.flatMap(flat);
}
