import { type Arguments, show } from './arguments.js';
import { callUserFunction } from './call-user-function.js';
import { SymbolicTensor } from './symbolic/tensor.js';
import { Trace } from './symbolic/trace.js';

/** A function of symbolic tensors, of one result or several. */
export type TensorFunction = (...inputs: SymbolicTensor[]) => SymbolicTensor | readonly SymbolicTensor[];

const hint = 'it takes symbolic tensors and returns one, or a list: (x) => x.mul(2).add(1)';
const keywords: ReadonlySet<string> = new Set(
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield torch'.split(
    ' ',
  ),
);

/** TorchScript of a function that is called here, with symbolic tensors; `undefined`, and a problem, if it cannot be traced. */
export function tracedSource(
  checked: Arguments,
  name: string | undefined,
  source: unknown,
  inputs: number | undefined,
): string | undefined {
  const refuse = (message: string, help = hint, at = checked.at): undefined => {
    checked.problems.error('DSL1013', `.addFunction(): ${message}`, at, help);
  };
  if (typeof source !== 'function') return refuse(`${show(source)} is no function`);
  if (name !== undefined && (!/^[A-Za-z_]\w*$/.test(name) || keywords.has(name))) {
    return refuse(
      `'${name}' cannot be the name of a function`,
      'it has letters, digits and _; a script may have any name',
    );
  }
  const count = inputs ?? source.length;
  if (count === 0)
    return refuse(
      'the function takes no tensors',
      `${hint}; of a function with a rest parameter, give their number: { inputs: 2 }`,
    );
  const names = Array.from({ length: count }, (_, at) => (count <= 3 ? 'xyz'.charAt(at) : `x${at + 1}`));
  const trace = new Trace(names);
  const result = callUserFunction(checked, 'DSL1013', () =>
    (source as TensorFunction)(...trace.inputs.map((node) => new SymbolicTensor(node))),
  );
  if (result === undefined || name === undefined) return undefined;
  const returned: unknown = result.returned;
  const outputs: readonly unknown[] = Array.isArray(returned) ? returned : [returned];
  const tensors = outputs.filter((output) => output instanceof SymbolicTensor);
  if (tensors.length === 0 || tensors.length < outputs.length)
    return refuse(`the function returned ${shown(returned, outputs)}`, helpFor(returned));
  const nodes = tensors.map(({ node }) => node);
  if (nodes.some((node) => node.trace !== trace)) return refuse('the function returned a tensor of another function');
  const unused = trace.unused(nodes);
  for (const { call, at } of unused) {
    const message = `the result of ${call} is not used, and it is neither true nor false for an \`if\``;
    refuse(message, 'where(condition, one, other) chooses element by element', at ?? checked.at);
  }
  return unused.length === 0 ? trace.source(name, nodes) : undefined;
}

function shown(returned: unknown, outputs: readonly unknown[]): string {
  if (returned instanceof Promise) return 'a promise';
  const other = outputs.find((output) => !(output instanceof SymbolicTensor));
  return Array.isArray(returned)
    ? outputs.length === 0
      ? 'an empty list'
      : `${show(other)} in a list`
    : show(returned);
}

function helpFor(returned: unknown): string {
  if (typeof returned !== 'string') return hint;
  return '.addScript(name, scriptText(text)) takes TorchScript; a function takes symbolic tensors';
}
