import type { Archive } from './archive.js';
import type { ModelHeader, TensorHeader } from './header.js';
import { tracedInputs } from './traced-inputs.js';

/**
 * Inputs and outputs of a TorchScript archive: the parameters of its module's `forward` without the first, and the values that it returns.
 * They are absent where the archive, of another version say, has no code in the known place.
 */
export function readTorchScript(archive: Archive): ModelHeader {
  const format = 'TorchScript';
  const module = moduleOf(archive);
  const code = module === undefined ? undefined : archive.read(`code/${module.path}.py`)?.toString('utf8');
  const forward = code === undefined || module === undefined ? undefined : forwardOf(code, module.name);
  if (forward === undefined) return { format };
  const [, ...parameters] = forward.parameters;
  const examples = tracedInputs(archive);
  const inputs = parameters.map((parameter, index): TensorHeader => {
    const example = examples?.length === parameters.length ? examples[index] : undefined;
    return { ...inputOf(parameter), ...(example === undefined ? {} : { example }) };
  });
  const outputs = outputsOf(forward.returned);
  return outputs === undefined ? { format, inputs } : { format, inputs, outputs };
}

/** The archived module's class: its pickle starts with protocol 2 and the class's module and name. */
function moduleOf(archive: Archive): { path: string; name: string } | undefined {
  const start = archive.read('data.pkl', 4096)?.subarray(2).toString('latin1') ?? '';
  const [, module, name] = /^c([^\n]+)\n([^\n]+)\n/.exec(start) ?? [];
  return module === undefined || name === undefined ? undefined : { path: module.replaceAll('.', '/'), name };
}

/** Parameters of a class's `forward` and the type that it returns, or the expression where no type is written. */
function forwardOf(code: string, name: string): { parameters: string[]; returned: string } | undefined {
  const head = `class ${name}(`;
  const starts = code.startsWith(head) ? 0 : code.indexOf(`\n${head}`) + 1;
  if (starts === 0 && !code.startsWith(head)) return undefined;
  const ends = code.indexOf('\nclass ', starts + 1);
  const body = code.slice(starts, ends < 0 ? undefined : ends);
  const at = body.search(/^ +def forward\(/m);
  if (at < 0) return undefined;
  const open = body.indexOf('(', at);
  const close = closing(body, open);
  if (close === undefined) return undefined;
  const end = endOfHead(body, close + 1);
  const arrow = /^\s*->\s*/.exec(body.slice(close + 1, end))?.[0];
  const after = body.slice(end, followingMethod(body, end));
  const returned = arrow === undefined ? lastReturned(after) : body.slice(close + 1 + arrow.length, end);
  return { parameters: splitList(body.slice(open + 1, close)), returned };
}

function followingMethod(body: string, from: number): number | undefined {
  const next = body.slice(from).search(/^ +def /m);
  return next < 0 ? undefined : from + next;
}

/** The types that the values of the last `return` would have, written as a type. */
function lastReturned(body: string): string {
  const last = [...body.matchAll(/^ +return (.*)$/gm)].at(-1)?.[1] ?? '';
  if (!last.startsWith('(') || closing(last, 0) !== last.length - 1) return last === '' ? '' : 'Tensor';
  return `Tuple[${splitList(last.slice(1, -1))
    .map(() => 'Tensor')
    .join(', ')}]`;
}

/** A parameter as `name: type=value`. */
function inputOf(parameter: string): TensorHeader {
  const [, name = '', type = 'Tensor'] = /^(\w+)(?::\s*([^=]+?))?\s*(?:=.*)?$/s.exec(parameter) ?? [];
  return { name, ...kindOf(type) };
}

function kindOf(type: string): Pick<TensorHeader, 'other'> {
  return type === 'Tensor' || type === 'Optional[Tensor]' ? {} : { other: type.replace(/\s+/g, ' ') };
}

/** The values of a type: those of tuples within tuples one after the other; undefined for a list, which may hold any number. */
function outputsOf(type: string): TensorHeader[] | undefined {
  const outputs: TensorHeader[] = [];
  for (const pending = [type.trim()]; pending.length > 0; ) {
    const one = pending.pop() as string;
    if (one === '' || one.startsWith('List[')) return undefined;
    const isTuple = one.startsWith('Tuple[') && one.endsWith(']');
    if (isTuple) pending.push(...splitList(one.slice('Tuple['.length, -1)).reverse());
    else outputs.push(kindOf(one));
  }
  return outputs;
}

/** The parts of a list between commas that are in no brackets. */
function splitList(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < list.length; at += 1) {
    if ('([{'.includes(list[at] as string)) depth += 1;
    else if (')]}'.includes(list[at] as string)) depth -= 1;
    else if (list[at] === ',' && depth === 0) {
      parts.push(list.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, list.slice(from)].map((part) => part.trim()).filter((part) => part !== '');
}

/** Place of the bracket that closes the one at `open`. */
function closing(text: string, open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if ('([{'.includes(text[at] as string)) depth += 1;
    else if (')]}'.includes(text[at] as string)) depth -= 1;
    if (depth === 0) return at;
  }
  return undefined;
}

/** Place of the colon that ends a function's head. */
function endOfHead(text: string, from: number): number {
  const at = text.indexOf(':\n', from);
  return at < 0 ? text.length : at;
}
