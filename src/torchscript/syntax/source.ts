import type { SyntaxNode } from '@lezer/common';
import type { Place, ProblemKind } from '../problem.js';
import { ScriptError } from '../problem.js';

/** A script's text as it is parsed: an indentation that all of it has is taken away. */
export class Source {
  readonly text: string;
  readonly #removed: readonly number[];

  constructor(given: string) {
    const lines = given.replaceAll('\r\n', '\n').split('\n');
    const first = lines.find((line) => !/^\s*(#|$)/.test(line)) ?? '';
    const indentation = /^[ \t]*/.exec(first)?.[0] ?? '';
    this.#removed = lines.map((line) => (line.startsWith(indentation) ? indentation.length : 0));
    this.text = `${lines.map((line, index) => line.slice(this.#removed[index])).join('\n')}\n`;
  }

  /** Place of a position in the text as it was given. */
  placeOf(at: number): Place {
    const before = this.text.slice(0, at);
    const line = before.split('\n').length;
    const column = at - (before.lastIndexOf('\n') + 1) + (this.#removed[line - 1] ?? 0) + 1;
    return { line, column };
  }

  /** The text of a node. */
  textOf(node: SyntaxNode): string {
    return this.text.slice(node.from, node.to);
  }

  problem(kind: ProblemKind, message: string, at: number): ScriptError {
    return new ScriptError({ kind, message, ...this.placeOf(at) });
  }

  /** The node is no TorchScript. */
  unknown(node: SyntaxNode): ScriptError {
    if (node.type.isError || node.name === '⚠') return this.invalid(node.from);
    if (needPytorch.has(node.name)) return this.problem('subset', `a ${wordsOf(node.name)}`, node.from);
    return this.problem('syntax', `TorchScript has no ${wordsOf(node.name)}`, node.from);
  }

  /** Something else is expected at the position. */
  invalid(at: number): ScriptError {
    const rest = /^[^\n]*/.exec(this.text.slice(at))?.[0].trim() ?? '';
    const near = rest === '' ? 'at the end of the line' : `near '${rest.slice(0, 30)}'`;
    return this.problem('syntax', `invalid syntax ${near}`, at);
  }
}

/** Parts of Python that TorchScript has, and that are not compiled here. */
const needPytorch: ReadonlySet<string> = new Set([
  ...['WithStatement', 'DeleteStatement', 'DictionaryExpression', 'SetExpression'],
  ...['DictionaryComprehensionExpression', 'SetComprehensionExpression', 'ComprehensionExpression'],
]);

/** `LambdaExpression` as words: `lambda expression`. */
function wordsOf(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}

/** Children of a node without comments. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name !== 'Comment') children.push(child);
  }
  return children;
}

/** Children split at commas; empty parts are left out. */
export function partsOf(children: readonly SyntaxNode[]): SyntaxNode[][] {
  const parts: SyntaxNode[][] = [[]];
  for (const child of children) {
    if (child.name === ',') parts.push([]);
    else parts.at(-1)?.push(child);
  }
  return parts.filter((part) => part.length > 0);
}
