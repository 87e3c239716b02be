import type { SyntaxNode } from '@lezer/common';
import { parser } from '@lezer/python';
import type { BinaryOperator, FunctionNode, ParameterNode, Statement } from './ast.js';
import { ExpressionReader } from './expressions.js';
import { childrenOf, Source } from './source.js';

/** A script's functions, in the order of the text. */
export interface ParsedScript {
  readonly source: Source;
  readonly functions: readonly FunctionNode[];
}

/** Nesting that is read at most, so that no text can exhaust the stack. */
const maxDepth = 200;

/** Parses a script. @throws ScriptError */
export function parse(text: string): ParsedScript {
  const source = new Source(text);
  const tree = parser.parse(source.text);
  let depth = 0;
  tree.iterate({
    enter: ({ from }) => {
      depth += 1;
      if (depth > maxDepth) throw source.problem('syntax', 'the script is nested too deeply', from);
    },
    leave: () => {
      depth -= 1;
    },
  });
  const reader = new StatementReader(source);
  const functions = childrenOf(tree.topNode).map((node) => reader.function(node));
  tree.iterate({
    enter: ({ type, from }) => {
      if (type.isError) throw source.invalid(from);
    },
  });
  return { source, functions };
}

/** Statements of a script's syntax tree. All methods throw ScriptError. */
class StatementReader {
  readonly #source: Source;
  readonly #expressions: ExpressionReader;

  constructor(source: Source) {
    this.#source = source;
    this.#expressions = new ExpressionReader(source);
  }

  function(node: SyntaxNode): FunctionNode {
    if (node.type.isError) throw this.#source.invalid(node.from);
    if (node.name !== 'FunctionDefinition') {
      throw this.#source.problem('syntax', 'a script consists of functions', node.from);
    }
    const children = childrenOf(node);
    const [name, parameters, body] = ['VariableName', 'ParamList', 'Body'].map((wanted) =>
      children.find((child) => child.name === wanted),
    );
    const broken = children.find(({ type, name }) => type.isError || name === 'async');
    if (broken !== undefined || name === undefined || parameters === undefined || body === undefined) {
      throw this.#source.invalid(broken?.from ?? node.from);
    }
    const result = children.find((child) => child.name === 'TypeDef');
    return {
      at: name.from,
      name: this.#source.textOf(name),
      parameters: this.#parameters(parameters),
      result: result === undefined ? undefined : this.#annotation(result),
      body: this.#body(body),
    };
  }

  #parameters(list: SyntaxNode): ParameterNode[] {
    const parameters: ParameterNode[] = [];
    let isKeywordOnly = false;
    const children = childrenOf(list).slice(1, -1);
    for (let at = 0; at < children.length; at += 1) {
      const child = children[at] as SyntaxNode;
      if (child.name === ',') continue;
      if (child.name !== 'VariableName') {
        const isStar = this.#source.textOf(child) === '*' && children[at + 1]?.name === ',';
        if (!isStar) throw this.#source.invalid(child.from);
        isKeywordOnly = true;
        continue;
      }
      const type = children[at + 1]?.name === 'TypeDef' ? children[++at] : undefined;
      const assign = children[at + 1]?.name === 'AssignOp' ? children[at + 2] : undefined;
      if (assign !== undefined) at += 2;
      parameters.push({
        at: child.from,
        name: this.#source.textOf(child),
        annotation: type === undefined ? undefined : this.#annotation(type),
        fallback: assign === undefined ? undefined : this.#expressions.read(assign),
        isKeywordOnly,
      });
    }
    return parameters;
  }

  /** The type in `: type` or `-> type`. */
  #annotation(node: SyntaxNode) {
    const children = childrenOf(node);
    return this.#expressions.part(
      children.filter(({ name }) => name !== ':' && name !== '->'),
      node.from,
    );
  }

  #body(node: SyntaxNode): Statement[] {
    const [, ...statements] = childrenOf(node);
    if (statements.length === 0) throw this.#source.invalid(node.to);
    return statements.filter(({ name }) => name !== ';').map((statement) => this.#statement(statement));
  }

  #statement(node: SyntaxNode): Statement {
    const at = node.from;
    const children = childrenOf(node);
    const broken = children.find(({ type }) => type.isError);
    if (broken !== undefined) throw this.#source.invalid(broken.from);
    const rest = children.slice(1);
    switch (node.name) {
      case 'ExpressionStatement':
        return { type: 'expression', at, value: this.#expressions.several(children, at) };
      case 'AssignStatement':
        return this.#assignment(node, children);
      case 'UpdateStatement': {
        const [target, operator, ...value] = children;
        if (target === undefined || operator === undefined) throw this.#source.invalid(at);
        const sign = this.#source.textOf(operator).slice(0, -1) as BinaryOperator;
        const read = this.#expressions;
        return { type: 'update', at, target: read.read(target), operator: sign, value: read.several(value, at) };
      }
      case 'IfStatement':
        return this.#if(children, at);
      case 'ForStatement':
        return this.#for(rest, at);
      case 'WhileStatement': {
        const [test, body] = rest;
        if (test === undefined || body?.name !== 'Body') throw this.#source.invalid(at);
        if (rest.length > 2) throw this.#source.problem('syntax', 'TorchScript has no else of a loop', at);
        return { type: 'while', at, test: this.#expressions.read(test), body: this.#body(body) };
      }
      case 'ReturnStatement':
        return { type: 'return', at, value: rest.length === 0 ? undefined : this.#expressions.several(rest, at) };
      case 'AssertStatement': {
        const message = rest[2];
        if (rest[0] === undefined) throw this.#source.invalid(at);
        const said = message === undefined ? undefined : this.#expressions.read(message);
        return { type: 'assert', at, test: this.#expressions.read(rest[0]), message: said };
      }
      case 'RaiseStatement':
        return { type: 'raise', at, value: rest[0] === undefined ? undefined : this.#expressions.read(rest[0]) };
      case 'PassStatement':
        return { type: 'pass', at };
      case 'BreakStatement':
        return { type: 'break', at };
      case 'ContinueStatement':
        return { type: 'continue', at };
      default:
        throw this.#source.unknown(node);
    }
  }

  #assignment(node: SyntaxNode, children: readonly SyntaxNode[]): Statement {
    const at = node.from;
    const type = children.find(({ name }) => name === 'TypeDef');
    const groups: SyntaxNode[][] = [[]];
    for (const child of children) {
      if (child.name === 'AssignOp') groups.push([]);
      else if (child.name !== 'TypeDef') groups.at(-1)?.push(child);
    }
    const value = groups.pop() ?? [];
    return {
      type: 'assign',
      at,
      targets: groups.map((group) => this.#expressions.several(group, at)),
      annotation: type === undefined ? undefined : this.#annotation(type),
      value: this.#expressions.several(value, children.at(-1)?.to ?? at),
    };
  }

  /** `if` and each `elif` is an `if` in the `else` of the one before. */
  #if(children: readonly SyntaxNode[], at: number): Statement {
    const [, test, body, ...rest] = children;
    if (test === undefined || body?.name !== 'Body') throw this.#source.invalid(body?.from ?? at);
    const next = rest[0];
    const elseBody = rest[1];
    let otherwise: Statement[] = [];
    if (next?.name === 'elif') otherwise = [this.#if(rest, next.from)];
    else if (next !== undefined && elseBody !== undefined) otherwise = this.#body(elseBody);
    return { type: 'if', at, test: this.#expressions.read(test), whenTrue: this.#body(body), otherwise };
  }

  #for(rest: readonly SyntaxNode[], at: number): Statement {
    const end = rest.findIndex(({ name }) => name === 'in');
    const over = rest[end + 1];
    const body = rest[end + 2];
    if (end === -1 || over === undefined || body?.name !== 'Body') throw this.#source.invalid(at);
    if (rest.length > end + 3) throw this.#source.problem('syntax', 'TorchScript has no else of a loop', at);
    const target = this.#expressions.several(rest.slice(0, end), at);
    return { type: 'for', at, target, over: this.#expressions.read(over), body: this.#body(body) };
  }
}
