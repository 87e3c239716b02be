import type { Graph } from '../onnx/graph.js';
import type { Expression } from '../syntax/ast.js';
import type { Value } from '../values/value.js';
import type { Item } from './subscripts.js';

/** Variables of a function that runs. */
export type Scope = Map<string, Value>;

/** Evaluates the expressions of a script, and builds the graph that computes them. All methods throw ScriptError. */
export interface Evaluator {
  readonly graph: Graph;
  /** Runs `action` for a place in the text, which its refusals get. */
  at<Result>(at: number, action: () => Result): Result;
  evaluate(expression: Expression, scope: Scope): Value;
  /** Items of a subscript. */
  itemsOf(items: (Expression & { type: 'subscript' })['items'], scope: Scope): Item[];
}
