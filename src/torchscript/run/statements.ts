import { typeOf } from '../annotations.js';
import { asInt, assignResult } from '../library/index.js';
import { failed, outside } from '../problem.js';
import type { Expression, Statement } from '../syntax/ast.js';
import type { Arithmetic } from '../tensors/arithmetic.js';
import { assignAt, isMaskIndex, updateMasked } from '../tensors/indexing.js';
import { checkCast } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import { isNumber, itemsOf, ListValue, typeName, type Value } from '../values/value.js';
import { iterated } from './builtins.js';
import { argument } from './convert.js';
import type { Evaluator, Scope } from './evaluator.js';
import { tensorOperators } from './numbers.js';
import { operate, truthOf } from './operators.js';
import { indicesOf } from './subscripts.js';

/** The way in which statements end before their last one; undefined if they do not. */
export type End =
  | { readonly type: 'return'; readonly value: Value }
  | { readonly type: 'break' | 'continue' }
  | undefined;

/** Runs statements. @throws ScriptError */
export function execute(run: Evaluator, statements: readonly Statement[], scope: Scope): End {
  for (const statement of statements) {
    const end = run.at(statement.at, () => one(run, statement, scope));
    if (end !== undefined) return end;
  }
  return undefined;
}

function one(run: Evaluator, statement: Statement, scope: Scope): End {
  switch (statement.type) {
    case 'pass':
      return undefined;
    case 'break':
    case 'continue':
      return { type: statement.type };
    case 'expression':
      run.evaluate(statement.value, scope);
      return undefined;
    case 'return':
      return { type: 'return', value: statement.value === undefined ? null : run.evaluate(statement.value, scope) };
    case 'assign': {
      let value = run.evaluate(statement.value, scope);
      if (statement.annotation !== undefined) {
        value = argument(run.graph, value, typeOf(statement.annotation), 'value');
      }
      for (const target of statement.targets) bindTarget(run, target, value, scope);
      return undefined;
    }
    case 'update':
      update(run, statement, scope);
      return undefined;
    case 'if': {
      const branch = truthOf(run.evaluate(statement.test, scope)) ? statement.whenTrue : statement.otherwise;
      return execute(run, branch, scope);
    }
    case 'for':
      return loop(run, statement, scope);
    case 'while':
      while (truthOf(run.evaluate(statement.test, scope))) {
        const end = execute(run, statement.body, scope);
        if (end?.type === 'return') return end;
        if (end?.type === 'break') break;
      }
      return undefined;
    case 'assert':
      if (truthOf(run.evaluate(statement.test, scope))) return undefined;
      throw failed(`AssertionError: ${statement.message === undefined ? '' : text(run, statement.message, scope)}`);
    case 'raise':
      throw failed(raised(run, statement.value, scope));
  }
}

function loop(run: Evaluator, { target, over, body }: Statement & { type: 'for' }, scope: Scope): End {
  for (const item of iterated(run.graph, run.evaluate(over, scope))) {
    bindTarget(run, target, item, scope);
    const end = execute(run, body, scope);
    if (end?.type === 'return') return end;
    if (end?.type === 'break') break;
  }
  return undefined;
}

/** Gives a value to a variable, to several, or to elements of a tensor or list. @throws ScriptError */
export function bindTarget(run: Evaluator, target: Expression, value: Value, scope: Scope): void {
  run.at(target.at, () => {
    if (target.type === 'name') {
      scope.set(target.name, value);
    } else if (target.type === 'tuple' || target.type === 'list') {
      const items = value instanceof Tensor ? iterated(run.graph, value) : itemsOf(value);
      if (items === undefined) throw failed(`'${typeName(value)}' cannot be unpacked`);
      if (items.length !== target.items.length) {
        throw failed(`need ${target.items.length} values to unpack, but there are ${items.length}`);
      }
      for (const [at, each] of target.items.entries()) bindTarget(run, each, items[at] as Value, scope);
    } else if (target.type === 'subscript') {
      assignTo(run, target, value, scope);
    } else throw outside('an assignment to an attribute');
  });
}

function assignTo(run: Evaluator, target: Expression & { type: 'subscript' }, value: Value, scope: Scope): void {
  const of = run.evaluate(target.of, scope);
  const items = run.itemsOf(target.items, scope);
  if (of instanceof Tensor) {
    if (!(value instanceof Tensor) && !isNumber(value)) throw failed(`'${typeName(value)}' is no tensor and no number`);
    assignAt(run.graph, of, indicesOf(run.graph, items), value);
    return;
  }
  const [item] = items;
  if (!(of instanceof ListValue) || item === undefined || !('value' in item)) {
    throw failed(`'${typeName(of)}' does not support assignment to items`);
  }
  const index = asInt(item.value) < 0 ? asInt(item.value) + of.items.length : asInt(item.value);
  if (index < 0 || index >= of.items.length) throw failed('list index out of range');
  of.items[index] = value;
}

/** `target += value`: a tensor is changed where it is, as in TorchScript. */
function update(run: Evaluator, { target, operator, value }: Statement & { type: 'update' }, scope: Scope): void {
  const of = tensorOperators[operator];
  if (of !== undefined && updatesByMask(run, target, value, of, scope)) return;
  const before = run.evaluate(target, scope);
  const given = run.evaluate(value, scope);
  if (before instanceof Tensor && (given instanceof Tensor || isNumber(given)) && of !== undefined) {
    const result = of(run.graph, before, given);
    if (target.type === 'subscript' && !before.isWritable) throw outside('this assignment to elements');
    assignResult(run.graph, before, result);
    // Elements chosen by tensors are a copy, which has to be put back.
    if (target.type === 'subscript') bindTarget(run, target, before, scope);
    return;
  }
  if (before instanceof ListValue && operator === '+' && itemsOf(given) !== undefined) {
    before.items.push(...(itemsOf(given) ?? []));
    return;
  }
  bindTarget(run, target, operate(run.graph, operator, before, given), scope);
}

/** Does `x[mask] += number`, if that is what it is. */
function updatesByMask(run: Evaluator, target: Expression, value: Expression, of: Arithmetic, scope: Scope): boolean {
  if (target.type !== 'subscript') return false;
  const whole = run.evaluate(target.of, scope);
  if (!(whole instanceof Tensor)) return false;
  const [index, more] = indicesOf(run.graph, run.itemsOf(target.items, scope));
  if (more !== undefined || !isMaskIndex(index)) return false;
  const given = run.evaluate(value, scope);
  if (!isNumber(given) && !(given instanceof Tensor && given.rank === 0)) {
    throw outside('the change of elements by a mask and a tensor');
  }
  const result = of(run.graph, whole, given);
  checkCast(result.dtype, whole.dtype);
  updateMasked(run.graph, whole, index.tensor, result);
  return true;
}

function text(run: Evaluator, expression: Expression, scope: Scope): string {
  const value = run.evaluate(expression, scope);
  return typeof value === 'string' ? value : typeName(value);
}

/** Message of `raise RuntimeError("text")`. */
function raised(run: Evaluator, value: Expression | undefined, scope: Scope): string {
  if (value?.type !== 'call' || value.callee.type !== 'name') return 'the script raises an error';
  const [first] = value.arguments;
  return `${value.callee.name}: ${first === undefined ? '' : text(run, first.value, scope)}`;
}
