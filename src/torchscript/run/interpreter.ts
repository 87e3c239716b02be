import { typeOf } from '../annotations.js';
import { type CallArguments, call, tensorMethods, torchFunctions } from '../library/index.js';
import { Graph, GraphSizeError } from '../onnx/graph.js';
import { failed, outside, Refusal } from '../problem.js';
import type { Expression, FunctionNode, ParameterNode } from '../syntax/ast.js';
import type { ParsedScript } from '../syntax/parse.js';
import { choose } from '../tensors/basics.js';
import { Tensor } from '../values/tensor.js';
import {
  CallableValue,
  DeviceValue,
  EllipsisValue,
  ListValue,
  ModuleValue,
  RunNumber,
  TupleValue,
  typeName,
  type Value,
} from '../values/value.js';
import { attributeOf } from './attributes.js';
import { builtins, iterated } from './builtins.js';
import { argument } from './convert.js';
import type { Evaluator, Scope } from './evaluator.js';
import { listMethods } from './list-methods.js';
import { operate, operateOne, truthOf } from './operators.js';
import { bindTarget, execute } from './statements.js';
import { type Item, subscript } from './subscripts.js';

/** Steps that a function may take while it is compiled: what is longer is a loop without an end. */
const maxSteps = 300_000;

/** Runs a script's functions on tensors whose elements are not known, and so builds the graph that computes them. */
export class Interpreter implements Evaluator {
  readonly graph = new Graph();
  readonly #script: ParsedScript;
  readonly #functions: ReadonlyMap<string, FunctionNode>;
  readonly #running: string[] = [];
  #steps = 0;

  constructor(script: ParsedScript) {
    this.#script = script;
    this.#functions = new Map(script.functions.map((one) => [one.name, one]));
  }

  /** Calls a function of the script. @throws ScriptError, Refusal */
  callFunction(name: string, given: CallArguments): Value {
    const found = this.#functions.get(name);
    if (found === undefined) throw failed(`undefined value ${name}`);
    if (this.#running.includes(name)) {
      throw failed(`function '${name}' is called recursively. Recursive calls are not supported`);
    }
    const scope = this.#bind(found, given);
    this.#running.push(name);
    try {
      const end = execute(this, found.body, scope);
      const value = end?.type === 'return' ? end.value : null;
      return found.result === undefined ? value : this.#result(found, value);
    } finally {
      this.#running.pop();
    }
  }

  /** Runs `action` for a place in the text, which its refusals get. @throws ScriptError */
  at<Result>(at: number, action: () => Result): Result {
    this.#steps += 1;
    if (this.#steps > maxSteps) throw this.#script.source.problem('subset', 'a function of so many steps', at);
    try {
      return action();
    } catch (error) {
      if (error instanceof Refusal) throw this.#script.source.problem(error.kind, error.message, at);
      if (error instanceof GraphSizeError) {
        throw this.#script.source.problem('subset', 'a function of so many operations', at);
      }
      throw error;
    }
  }

  /** The value of an expression. @throws ScriptError */
  evaluate(expression: Expression, scope: Scope): Value {
    return this.at(expression.at, () => this.#evaluate(expression, scope));
  }

  /** Items of a subscript. @throws ScriptError */
  itemsOf(items: (Expression & { type: 'subscript' })['items'], scope: Scope): Item[] {
    return items.map((item) => {
      if (item.type !== 'slice') return { value: this.evaluate(item, scope) };
      const bounds = [item.from, item.to, item.step];
      return { bounds: bounds.map((bound) => (bound === undefined ? undefined : this.evaluate(bound, scope))) };
    });
  }

  #evaluate(expression: Expression, scope: Scope): Value {
    switch (expression.type) {
      case 'literal':
        return expression.value;
      case 'ellipsis':
        return new EllipsisValue();
      case 'name':
        return this.#variable(expression.name, scope);
      case 'list':
        return new ListValue(expression.items.map((item) => this.evaluate(item, scope)));
      case 'tuple':
        return new TupleValue(expression.items.map((item) => this.evaluate(item, scope)));
      case 'attribute':
        return attributeOf(this.graph, this.evaluate(expression.of, scope), expression.name);
      case 'subscript':
        return subscript(this.graph, this.evaluate(expression.of, scope), this.itemsOf(expression.items, scope));
      case 'unary':
        return operateOne(this.graph, expression.operator, this.evaluate(expression.operand, scope));
      case 'binary':
        return this.#binary(expression, scope);
      case 'conditional':
        return this.#conditional(expression, scope);
      case 'comprehension':
        return this.#comprehension(expression, scope);
      case 'call':
        return this.#call(expression, scope);
    }
  }

  #variable(name: string, scope: Scope): Value {
    const value = scope.get(name);
    if (value !== undefined || scope.has(name)) return value as Value;
    if (this.#functions.has(name)) return new CallableValue('script', name);
    if (Object.hasOwn(builtins, name)) return new CallableValue('builtin', name);
    if (name === 'torch') return new ModuleValue('torch');
    // The check of names has let no others through.
    throw outside(name);
  }

  #binary({ operator, left, right }: Expression & { type: 'binary' }, scope: Scope): Value {
    const one = this.evaluate(left, scope);
    if (operator === 'and') return truthOf(one) ? this.evaluate(right, scope) : one;
    if (operator === 'or') return truthOf(one) ? one : this.evaluate(right, scope);
    return operate(this.graph, operator, one, this.evaluate(right, scope));
  }

  /** A choice between two tensors alike may depend on values. */
  #conditional({ test, whenTrue, otherwise }: Expression & { type: 'conditional' }, scope: Scope): Value {
    const condition = this.evaluate(test, scope);
    const mask = condition instanceof Tensor || condition instanceof RunNumber ? condition.value : undefined;
    if (mask?.dtype !== 'BOOL' || mask.shape.some((size) => size !== 1)) {
      return this.evaluate(truthOf(condition) ? whenTrue : otherwise, scope);
    }
    const [one, other] = [this.evaluate(whenTrue, scope), this.evaluate(otherwise, scope)];
    const isAlike =
      one instanceof Tensor &&
      other instanceof Tensor &&
      one.dtype === other.dtype &&
      String(one.shape) === String(other.shape) &&
      mask.shape.length <= one.rank;
    if (!isAlike) throw outside("a condition that depends on the tensors' values");
    return new Tensor(choose(this.graph, mask, one.value, other.value));
  }

  #comprehension({ element, target, over, test }: Expression & { type: 'comprehension' }, scope: Scope): Value {
    const own: Scope = new Map(scope);
    const items: Value[] = [];
    for (const item of iterated(this.graph, this.evaluate(over, scope))) {
      bindTarget(this, target, item, own);
      if (test === undefined || truthOf(this.evaluate(test, own))) items.push(this.evaluate(element, own));
    }
    return new ListValue(items);
  }

  #call({ callee, arguments: given }: Expression & { type: 'call' }, scope: Scope): Value {
    const called = this.evaluate(callee, scope);
    const positional: Value[] = [];
    const named = new Map<string, Value>();
    for (const { name, value } of given) {
      if (name === undefined) positional.push(this.evaluate(value, scope));
      else named.set(name, this.evaluate(value, scope));
    }
    if (!(called instanceof CallableValue)) throw failed(`'${typeName(called)}' object is not callable`);
    return this.#invoke(called, { positional, named });
  }

  #invoke({ kind, name, self }: CallableValue, given: CallArguments): Value {
    if (kind === 'script') return this.callFunction(name, given);
    if (kind === 'torch') return call(this.graph, name, torchFunctions.get(name) ?? [], given);
    if (name === 'torch.device') return new DeviceValue(String(given.positional[0] ?? 'cpu'));
    if (kind === 'builtin') return builtins[name]?.(this.graph, given.positional, given.named) ?? null;
    if (self instanceof Tensor) {
      return call(this.graph, name, tensorMethods.get(name) ?? [], {
        ...given,
        positional: [self, ...given.positional],
      });
    }
    if (self instanceof ListValue) return listMethods[name]?.(self, given.positional) ?? null;
    return self ?? null;
  }

  #bind(called: FunctionNode, { positional, named }: CallArguments): Scope {
    const scope: Scope = new Map();
    const rest = new Map(named);
    const places = called.parameters.filter(({ isKeywordOnly }) => !isKeywordOnly).length;
    if (positional.length > places) {
      throw failed(`${called.name}() expected at most ${places} argument(s) but received ${positional.length}`);
    }
    for (const [index, parameter] of called.parameters.entries()) {
      const given = index < Math.min(positional.length, places) ? positional[index] : rest.get(parameter.name);
      rest.delete(parameter.name);
      scope.set(parameter.name, this.#argument(called, parameter, given));
    }
    const [unknown] = rest.keys();
    if (unknown !== undefined) throw failed(`${called.name}() has no parameter '${unknown}'`);
    return scope;
  }

  #argument(called: FunctionNode, parameter: ParameterNode, given: Value | undefined): Value {
    if (given !== undefined) return argument(this.graph, given, typeOf(parameter.annotation), parameter.name);
    if (parameter.fallback === undefined) {
      throw failed(`${called.name}() is missing value for argument '${parameter.name}'`);
    }
    return this.evaluate(parameter.fallback, new Map());
  }

  #result(called: FunctionNode, value: Value): Value {
    return this.at(called.result?.at ?? called.at, () => argument(this.graph, value, typeOf(called.result), 'return'));
  }
}
