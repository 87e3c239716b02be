import type { Graph, GraphValue } from '../onnx/graph.js';
import { failed } from '../problem.js';
import { Tensor } from '../values/tensor.js';
import { TupleValue, typeName, type Value } from '../values/value.js';
import { bind, type CallArguments } from './binding.js';
import { Given } from './given.js';
import { parseSchema, type Schema } from './schema.js';

/** Result of an operation: a value of the graph becomes a tensor. */
type Outcome = Value | GraphValue;

/** An operation of torch: one of the forms that its name has. */
export interface Operation {
  readonly schema: Schema;
  /** True if it is called as `torch.name(…)`. */
  readonly isFunction: boolean;
  /** True if it is called as `tensor.name(…)`. */
  readonly isMethod: boolean;
  readonly run: (graph: Graph, given: Given) => Outcome;
}

type Run = Operation['run'];

/** An operation that is a function and a method. */
export function both(schema: string, run: Run): Operation {
  return { schema: parseSchema(schema), isFunction: true, isMethod: true, run };
}

export function func(schema: string, run: Run): Operation {
  return { schema: parseSchema(schema), isFunction: true, isMethod: false, run };
}

export function method(schema: string, run: Run): Operation {
  return { schema: parseSchema(schema), isFunction: false, isMethod: true, run };
}

/** Results with names, as of `max` along a dimension. */
export function named(names: readonly string[], values: readonly GraphValue[]): TupleValue {
  return new TupleValue(
    values.map((value) => new Tensor(value)),
    names,
  );
}

/** Runs the first form that the arguments fit. @throws Refusal */
export function call(graph: Graph, name: string, forms: readonly Operation[], given: CallArguments): Value {
  for (const converts of [false, true]) {
    for (const { schema, run } of forms) {
      const bound = bind(schema, given, converts);
      if (bound !== undefined) return asValue(run(graph, new Given(graph, bound)));
    }
  }
  const types = given.positional.map(typeName);
  const keywords = [...given.named].map(([key, value]) => `${key}=${typeName(value)}`);
  throw failed(`no form of ${name} takes the arguments (${[...types, ...keywords].join(', ')})`);
}

function asValue(outcome: Outcome): Value {
  const isGraphValue = typeof outcome === 'object' && outcome !== null && 'dtype' in outcome && 'name' in outcome;
  return isGraphValue ? new Tensor(outcome as GraphValue) : (outcome as Value);
}
