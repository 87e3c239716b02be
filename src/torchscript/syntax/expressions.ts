import type { SyntaxNode } from '@lezer/common';
import type { ArgumentNode, Expression, SliceNode } from './ast.js';
import { numberOf, textOf } from './literals.js';
import { join, type Piece } from './precedence.js';
import { childrenOf, partsOf, type Source } from './source.js';

const operators: ReadonlySet<string> = new Set(['ArithOp', 'BitOp', 'CompareOp', 'and', 'or', 'not', 'in', 'is']);
const compound: ReadonlySet<string> = new Set(['BinaryExpression', 'UnaryExpression', 'ConditionalExpression']);

/** Expressions of a script's syntax tree. All methods throw ScriptError. */
export class ExpressionReader {
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  /** The expressions between commas: one, or a tuple of several. */
  several(nodes: readonly SyntaxNode[], at: number): Expression {
    const parts = partsOf(nodes);
    const items = parts.map((part) => this.part(part, at));
    const only = items[0];
    if (only === undefined) throw this.#source.invalid(at);
    const isTuple = items.length > 1 || nodes.some(({ name }) => name === ',');
    return isTuple ? { type: 'tuple', at: only.at, items } : only;
  }

  /** The expression that a list of nodes is; it must be one node. */
  part(nodes: readonly SyntaxNode[], at: number): Expression {
    const [node, more] = nodes;
    if (node === undefined) throw this.#source.invalid(at);
    if (more !== undefined) throw this.#source.invalid(more.from);
    return this.read(node);
  }

  read(node: SyntaxNode): Expression {
    const at = node.from;
    if (compound.has(node.name)) {
      const pieces = this.#pieces(node);
      return join(pieces, node.to, (where) => this.#source.invalid(where));
    }
    switch (node.name) {
      case 'VariableName':
        return { type: 'name', at, name: this.#source.textOf(node) };
      case 'Number':
        return this.#number(node);
      case 'Boolean':
        return { type: 'literal', at, value: this.#source.textOf(node) === 'True' };
      case 'None':
        return { type: 'literal', at, value: null };
      case 'Ellipsis':
        return { type: 'ellipsis', at };
      case 'String':
      case 'ContinuedString':
        return { type: 'literal', at, value: this.#text(node) };
      case 'ParenthesizedExpression':
        return this.part(childrenOf(node).slice(1, -1), at);
      case 'TupleExpression':
      case 'ArrayExpression': {
        const items = partsOf(childrenOf(node).slice(1, -1)).map((part) => this.part(part, at));
        return { type: node.name === 'TupleExpression' ? 'tuple' : 'list', at, items };
      }
      case 'ArrayComprehensionExpression':
        return this.#comprehension(node);
      case 'MemberExpression':
        return this.#member(node);
      case 'CallExpression':
        return this.#call(node);
      default:
        throw this.#source.unknown(node);
    }
  }

  /** Operands and operators in the order of the text: the tree's own precedence is Python's in most places only. */
  #pieces(node: SyntaxNode): Piece[] {
    const pieces: Piece[] = [];
    for (const child of childrenOf(node)) {
      if (compound.has(child.name)) pieces.push(...this.#pieces(child));
      else if (operators.has(child.name) || child.name === 'if' || child.name === 'else') {
        const operator = this.#source.textOf(child);
        const before = pieces.at(-1);
        const joined =
          before !== undefined && 'operator' in before ? twoWords[`${before.operator} ${operator}`] : undefined;
        if (joined !== undefined) pieces.pop();
        pieces.push({ at: child.from, operator: joined ?? operator });
      } else pieces.push({ at: child.from, operand: this.read(child) });
    }
    return pieces;
  }

  #number(node: SyntaxNode): Expression {
    const text = this.#source.textOf(node);
    const value = numberOf(text);
    if (value === undefined) throw this.#source.problem('subset', `the number ${text}`, node.from);
    return { type: 'literal', at: node.from, value };
  }

  #text(node: SyntaxNode): string {
    if (node.name === 'ContinuedString') {
      return childrenOf(node)
        .map((child) => this.#text(child))
        .join('');
    }
    const value = textOf(this.#source.textOf(node));
    if (value === undefined) throw this.#source.problem('syntax', 'TorchScript has no prefix of a text', node.from);
    return value;
  }

  #comprehension(node: SyntaxNode): Expression {
    const [element, ...rest] = childrenOf(node).slice(1, -1);
    const end = rest.findIndex(({ name }) => name === 'in');
    const over = rest[end + 1];
    if (element === undefined || over === undefined || rest[0]?.name !== 'for' || end === -1) {
      throw this.#source.invalid(node.from);
    }
    const more = rest.slice(end + 2);
    const test = more[0]?.name === 'if' ? more[1] : undefined;
    if (more.length > (test === undefined ? 0 : 2)) {
      throw this.#source.problem('subset', 'a comprehension of several loops', node.from);
    }
    return {
      type: 'comprehension',
      at: node.from,
      element: this.read(element),
      target: this.several(rest.slice(1, end), node.from),
      over: this.read(over),
      test: test === undefined ? undefined : this.read(test),
    };
  }

  #member(node: SyntaxNode): Expression {
    const [object, mark, ...rest] = childrenOf(node);
    if (object === undefined || mark === undefined) throw this.#source.invalid(node.from);
    const of = this.read(object);
    if (mark.name === '.') {
      const property = rest[0];
      if (property?.name !== 'PropertyName') throw this.#source.invalid(mark.to);
      return { type: 'attribute', at: property.from, of, name: this.#source.textOf(property) };
    }
    const items = partsOf(rest.slice(0, -1)).map((part) => this.#index(part, mark.to));
    if (mark.name !== '[' || rest.at(-1)?.name !== ']' || items.length === 0) throw this.#source.invalid(mark.from);
    return { type: 'subscript', at: node.from, of, items };
  }

  #index(nodes: readonly SyntaxNode[], at: number): Expression | SliceNode {
    if (!nodes.some(({ name }) => name === ':')) return this.part(nodes, at);
    const bounds: (SyntaxNode | undefined)[] = [undefined];
    for (const node of nodes) {
      if (node.name === ':') bounds.push(undefined);
      else if (bounds.at(-1) === undefined) bounds[bounds.length - 1] = node;
      else throw this.#source.invalid(node.from);
    }
    if (bounds.length > 3) throw this.#source.invalid(nodes[0]?.from ?? at);
    const [from, to, step] = bounds.map((node) => (node === undefined ? undefined : this.read(node)));
    return { type: 'slice', at: nodes[0]?.from ?? at, from, to, step };
  }

  #call(node: SyntaxNode): Expression {
    const [callee, list] = childrenOf(node);
    if (callee === undefined || list?.name !== 'ArgList') throw this.#source.invalid(node.from);
    const parts = partsOf(childrenOf(list).slice(1, -1));
    const called = this.read(callee);
    return { type: 'call', at: called.at, callee: called, arguments: parts.map((part) => this.#argument(part)) };
  }

  #argument(nodes: readonly SyntaxNode[]): ArgumentNode {
    const [first, second, third] = nodes;
    const at = first?.from ?? 0;
    if (second?.name === 'AssignOp' && first !== undefined) {
      return { at, name: this.#source.textOf(first), value: this.part(third === undefined ? [] : [third], second.to) };
    }
    if (first !== undefined && ['*', '**'].includes(this.#source.textOf(first))) {
      throw this.#source.problem('subset', 'an argument list that is unpacked', at);
    }
    return { at, name: undefined, value: this.part(nodes, at) };
  }
}

const twoWords: Readonly<Record<string, string>> = { 'not in': 'not in', 'is not': 'is not' };
