import { callerLocation, type SourceLocation } from '../../diagnostics/index.js';

/** A symbolic tensor is used as if it had elements, or tensors of different functions meet. */
export class SymbolicTensorError extends Error {
  override readonly name = 'SymbolicTensorError';
}

/** A tensor in a function that is being traced: an input, or the result of an operation. */
export interface TraceNode {
  readonly trace: Trace;
  /** TorchScript that computes it, of the texts of the tensors that it is computed from. */
  readonly text: (operands: readonly string[]) => string;
  readonly operands: readonly TraceNode[];
  /** Operation as users call it, e.g. `.mul()`; undefined for an input. */
  readonly call: string | undefined;
  readonly at: SourceLocation | undefined;
}

/** The operations of one function, in the order in which they are called. */
export class Trace {
  readonly inputs: readonly TraceNode[];
  readonly #nodes: TraceNode[] = [];

  /** `names` are those of the function's parameters. */
  constructor(names: readonly string[]) {
    this.inputs = names.map((name) => ({
      trace: this,
      text: () => name,
      operands: [],
      call: undefined,
      at: undefined,
    }));
  }

  /** Adds an operation, which `method` calls. @throws SymbolicTensorError */
  // biome-ignore lint/complexity/noBannedTypes: the place is that of any function's caller
  add(call: string, operands: readonly TraceNode[], text: TraceNode['text'], method: Function): TraceNode {
    if (operands.some(({ trace }) => trace !== this)) {
      throw new SymbolicTensorError(`${call} takes tensors of two functions`);
    }
    const node: TraceNode = { trace: this, text, operands, call, at: callerLocation(method) };
    this.#nodes.push(node);
    return node;
  }

  /** Operations that none of the outputs needs. */
  unused(outputs: readonly TraceNode[]): TraceNode[] {
    const needed = new Set<TraceNode>();
    const visit = (node: TraceNode): void => {
      if (needed.has(node)) return;
      needed.add(node);
      node.operands.forEach(visit);
    };
    outputs.forEach(visit);
    return this.#nodes.filter((node) => !needed.has(node));
  }

  /** TorchScript of a function that returns the outputs. What several operations need has a variable. */
  source(name: string, outputs: readonly TraceNode[]): string {
    const uses = new Map<TraceNode, number>();
    const count = (node: TraceNode): void => {
      uses.set(node, (uses.get(node) ?? 0) + 1);
      if (uses.get(node) === 1) node.operands.forEach(count);
    };
    outputs.forEach(count);
    const texts = new Map<TraceNode, string>();
    const lines: string[] = [];
    for (const node of [...this.inputs, ...this.#nodes]) {
      if (!uses.has(node) && node.call !== undefined) continue;
      const text = node.text(node.operands.map((operand) => texts.get(operand) ?? ''));
      const isShared = node.call !== undefined && (uses.get(node) ?? 0) > 1;
      texts.set(node, isShared ? `t${lines.length + 1}` : text);
      if (isShared) lines.push(`t${lines.length + 1} = ${text}`);
    }
    const parameters = this.inputs.map((node) => texts.get(node)).join(', ');
    const result = outputs.map((node) => texts.get(node)).join(', ');
    return [`def ${name}(${parameters}):`, ...[...lines, `return ${result}`].map((line) => `    ${line}`), ''].join(
      '\n',
    );
  }
}
