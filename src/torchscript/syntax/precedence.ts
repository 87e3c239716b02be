import type { BinaryOperator, Expression, UnaryOperator } from './ast.js';

/** A piece of an expression in its order in the text: an operand, or an operator (`if` and `else` among them). */
export type Piece =
  | { readonly at: number; readonly operand: Expression }
  | { readonly at: number; readonly operator: string };

/**
 * Binding strength of binary operators, as PyTorch's parser has it. `and` and `or` are equal there, unlike in Python. `not` stands between
 * them and the comparisons.
 */
const strengths: Readonly<Record<BinaryOperator, number>> = {
  and: 1,
  or: 1,
  in: 3,
  'not in': 3,
  is: 4,
  'is not': 4,
  '<': 4,
  '>': 4,
  '==': 4,
  '!=': 4,
  '<=': 4,
  '>=': 4,
  '|': 5,
  '^': 6,
  '&': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '//': 10,
  '%': 10,
  '@': 10,
  '**': 12,
};
const strengthOfNot = 2;
const strengthOfSign = 11;

function isBinary(operator: string): operator is BinaryOperator {
  return Object.hasOwn(strengths, operator);
}

function isSign(operator: string): operator is UnaryOperator {
  return operator === '-' || operator === '~';
}

/** Builds an expression from its pieces. `invalid` makes the error for a position where something else is expected. */
export function join(pieces: readonly Piece[], end: number, invalid: (at: number) => Error): Expression {
  let next = 0;

  const operatorHere = (): string | undefined => {
    const piece = pieces[next];
    return piece !== undefined && 'operator' in piece ? piece.operator : undefined;
  };
  const here = (): number => pieces[next]?.at ?? end;

  const primary = (): Expression => {
    const piece = pieces[next];
    if (piece === undefined) throw invalid(end);
    next += 1;
    if ('operand' in piece) return piece.operand;
    const { at, operator } = piece;
    if (operator === 'not') return { type: 'unary', at, operator, operand: climb(strengthOfNot) };
    if (isSign(operator)) return { type: 'unary', at, operator, operand: climb(strengthOfSign) };
    throw invalid(at);
  };

  /** An expression of operators that bind at least as strongly. */
  const climb = (least: number): Expression => {
    let left = primary();
    for (let operator = operatorHere(); operator !== undefined; operator = operatorHere()) {
      if (!isBinary(operator) || strengths[operator] < least) break;
      next += 1;
      const right = climb(operator === '**' ? strengthOfSign : strengths[operator] + 1);
      left = { type: 'binary', at: left.at, operator, left, right };
    }
    return left;
  };

  const whole = (): Expression => {
    const whenTrue = climb(0);
    if (operatorHere() !== 'if') return whenTrue;
    next += 1;
    const test = climb(0);
    if (operatorHere() !== 'else') throw invalid(here());
    next += 1;
    return { type: 'conditional', at: whenTrue.at, test, whenTrue, otherwise: whole() };
  };

  const expression = whole();
  if (next < pieces.length) throw invalid(here());
  return expression;
}
