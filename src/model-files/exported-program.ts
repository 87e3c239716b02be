import * as z from 'zod';
import type { Archive } from './archive.js';
import { MalformedError } from './errors.js';
import type { Dimension, ModelDtype, ModelHeader, TensorHeader } from './header.js';

/** Names of element types by the numbers of PyTorch's export schema (ScalarType). */
const dtypes: Readonly<Record<number, ModelDtype>> = {
  1: 'UINT8',
  2: 'INT8',
  3: 'INT16',
  4: 'INT32',
  5: 'INT64',
  6: 'float16',
  7: 'FLOAT',
  8: 'DOUBLE',
  9: 'complex32',
  10: 'complex64',
  11: 'complex128',
  12: 'BOOL',
  13: 'bfloat16',
  28: 'UINT16',
  29: 'float8',
  30: 'float8',
  31: 'float8',
  32: 'float8',
  33: 'float8',
  34: 'uint32',
  35: 'uint64',
};

/** An argument: an object with one key, such as `as_tensor`, which says what it is. */
const Argument = z.record(z.string(), z.unknown());
const Specs = z.array(z.record(z.string(), z.unknown())).optional();
const Program = z.object({
  graph_module: z.object({
    graph: z.object({ tensor_values: z.record(z.string(), z.unknown()) }),
    signature: z.object({
      input_specs: Specs,
      output_specs: Specs,
      /** Names, in PyTorch 2.1. */
      user_inputs: z.array(z.unknown()).optional(),
      user_outputs: z.array(z.unknown()).optional(),
    }),
  }),
});
type Program = z.infer<typeof Program>;

/** Names of the graph's file in an archive: of PyTorch 2.1 to 2.7, and of later ones, which may have several graphs. */
const oldName = 'serialized_exported_program.json';
const name = /^models\/[^/]+\.json$/;

/** Name of the file that holds an exported program's graph; undefined if an archive is none. */
export function exportedGraph(archive: Archive): string | undefined {
  if (archive.has(oldName)) return oldName;
  if (archive.has('models/model.json')) return 'models/model.json';
  return [...archive.names].find((one) => name.test(one));
}

/** Inputs and outputs of an exported program, by the signature of its graph. @throws MalformedError if its graph cannot be read */
export function readExportedProgram(archive: Archive, graphFile: string): ModelHeader {
  const { graph, signature } = parse(archive.read(graphFile)?.toString('utf8') ?? '', graphFile).graph_module;
  const tensors = graph.tensor_values;
  const inputs = signature.input_specs?.flatMap((spec) => argumentOf(spec['user_input'], tensors));
  const outputs = signature.output_specs?.flatMap((spec) => argumentOf(spec['user_output'], tensors));
  const named = (names: readonly unknown[] | undefined) => names?.map((one) => headerOf(String(one), tensors));
  const header = {
    inputs: inputs ?? named(signature.user_inputs),
    outputs: outputs ?? named(signature.user_outputs),
  };
  if (header.inputs === undefined || header.outputs === undefined) return { format: 'ExportedProgram' };
  return { format: 'ExportedProgram', inputs: header.inputs, outputs: header.outputs };
}

function parse(text: string, file: string): Program {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new MalformedError(`its ${file} is no JSON`);
  }
  const program = Program.safeParse(json);
  if (program.success) return program.data;
  throw new MalformedError(`its ${file} holds no graph with a signature`);
}

/** A user's input or output, if a part of the signature is one. */
function argumentOf(spec: unknown, tensors: Readonly<Record<string, unknown>>): TensorHeader[] {
  if (spec === undefined) return [];
  const argument = z.object({ arg: Argument }).safeParse(spec);
  const [kind, value] = Object.entries(argument.data?.arg ?? {})[0] ?? [];
  const tensor = z.object({ name: z.string() }).safeParse(value);
  if (kind === 'as_tensor' && tensor.success) return [headerOf(tensor.data.name, tensors)];
  // PyTorch traces a value that is None, and asks nobody for it.
  if (kind === 'as_none') return [];
  return [{ other: kind?.replace(/^as_/, '').replaceAll('_', ' ') ?? 'value of an unknown kind' }];
}

const Size = z.union([z.object({ as_int: z.int().nonnegative() }).transform(({ as_int }) => as_int), z.unknown()]);
const Meta = z.object({ dtype: z.number(), sizes: z.array(Size) });
/** Facts of a tensor, which PyTorch 2.1 wraps once more. */
const TensorMeta = z.union([Meta, z.object({ meta: Meta }).transform(({ meta }) => meta)]);

function headerOf(tensor: string, tensors: Readonly<Record<string, unknown>>): TensorHeader {
  const meta = Object.hasOwn(tensors, tensor) ? TensorMeta.safeParse(tensors[tensor]) : undefined;
  if (meta?.data === undefined) return { name: tensor };
  const shape = meta.data.sizes.map((size): Dimension => (typeof size === 'number' ? size : null));
  return { name: tensor, dtype: dtypes[meta.data.dtype] ?? 'unknown', shape };
}
