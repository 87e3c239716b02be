import { nearest } from '../diagnostics/index.js';
import type { Archive } from './archive.js';
import { MalformedError, ModelFileError } from './errors.js';
import type { GraphNames, ModelHeader, TensorHeader } from './header.js';
import { type Field, fields, textField } from './protobuf.js';
import { BytesReader, type Reader, text } from './reader.js';
import { TensorFlowGraph } from './tensorflow-graph.js';
import { entriesOf, tensorIn } from './tensorflow-shapes.js';

type Option = 'inputs' | 'outputs';

/** Most names that a hint lists. */
const mostListed = 6;

/**
 * Inputs and outputs of a TensorFlow graph (a GraphDef with its weights in constants): those that the names say.
 *
 * @throws ModelFileError for names that are no nodes of it; MalformedError if it is no graph
 */
export function readGraphDef(reader: Reader, names: GraphNames): ModelHeader {
  const graph = new TensorFlowGraph(reader, { start: 0, end: reader.size });
  const placeholders = graph.placeholders;
  const ends = graph.ends;
  const listed = listing([
    ['placeholders', placeholders],
    ['last nodes', ends],
  ]);
  checkNames(
    'its graph',
    names,
    (name) => graph.has(name),
    { inputs: [...graph.names], outputs: [...graph.names] },
    listed,
  );
  return {
    format: 'GraphDef',
    inputs: (names.inputs ?? placeholders).map((name) => graph.tensor(name)),
    outputs: (names.outputs ?? ends).map((name) => graph.tensor(name)),
  };
}

/** The signature that stores take. */
const usualSignature = 'serving_default';

/** Inputs or outputs of a signature by the names that users give them, with the names that the graph has for them. */
type Signature = ReadonlyMap<string, { readonly header: TensorHeader; readonly tensor: string }>;

/**
 * Inputs and outputs of a SavedModel in a zip archive, by its signature `serving_default`. Names may be those of the signature or
 * of the graph.
 *
 * @throws ModelFileError for names that neither has; MalformedError if it has no graph
 */
export function readSavedModel(archive: Archive, names: GraphNames): ModelHeader {
  const folder = archive.folderOf('saved_model.pb') ?? '';
  const bytes = archive.read(`${folder}saved_model.pb`);
  if (bytes === undefined) throw new MalformedError('it has no saved_model.pb');
  const reader = new BytesReader(bytes);
  const { graph, signatures } = metaGraph(reader);
  const signature = signatures.get(usualSignature);
  const [inputs, outputs] = ([1, 2] as const).map(
    (number): Signature => (signature === undefined ? new Map() : valuesOf(reader, signature, number)),
  ) as [Signature, Signature];
  const nodes = graph === undefined ? undefined : new TensorFlowGraph(reader, graph);
  const known = (name: string, option: Option) =>
    (option === 'inputs' ? inputs : outputs).has(name) || (nodes?.has(name) ?? false);
  const listed = listing([
    ['inputs', [...inputs.keys()]],
    ['outputs', [...outputs.keys()]],
  ]);
  checkNames(
    'its signature or its graph',
    names,
    known,
    { inputs: [...inputs.keys()], outputs: [...outputs.keys()] },
    listed,
  );
  return {
    format: 'SavedModel',
    inputs: (names.inputs ?? [...inputs.keys()]).map((name) => tensorOf(name, inputs, nodes)),
    outputs: (names.outputs ?? [...outputs.keys()]).map((name) => tensorOf(name, outputs, nodes)),
  };
}

function tensorOf(name: string, signature: Signature, nodes: TensorFlowGraph | undefined): TensorHeader {
  const byKey = signature.get(name);
  if (byKey !== undefined) return byKey.header;
  const full = /:\d+$/.test(name) ? name : `${name}:0`;
  const byTensor = [...signature.values()].find(({ tensor }) => tensor === full);
  if (byTensor !== undefined) return { ...byTensor.header, name };
  return nodes?.tensor(name) ?? { name };
}

/**
 * SavedModel: meta_graphs = 2 → MetaGraphDef: meta_info_def = 1 (tags = 4), graph_def = 2, signature_def = 5. Of several the one that serves
 * counts, or else the first.
 */
function metaGraph(reader: Reader): { graph: Field | undefined; signatures: ReadonlyMap<string, Field> } {
  let chosen: Field | undefined;
  for (const field of fields(reader, 0, reader.size)) {
    if (field.number !== 2 || field.wire !== 2) continue;
    const serves = [...fields(reader, field.start, field.end)].some(
      (info) => info.number === 1 && info.wire === 2 && textField(reader, info, 4) === 'serve',
    );
    if (serves || chosen === undefined) chosen = field;
    if (serves) break;
  }
  if (chosen === undefined) throw new MalformedError('it holds no graph');
  let graph: Field | undefined;
  for (const field of fields(reader, chosen.start, chosen.end)) {
    if (field.number === 2 && field.wire === 2) graph = field;
  }
  const signatures = [...entriesOf(reader, chosen, 5)].map(
    ([key, value]) => [text(reader, key.start, key.end), value] as const,
  );
  return { graph, signatures: new Map(signatures.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** SignatureDef: inputs = 1, outputs = 2, by name → TensorInfo: name = 1, dtype = 2, tensor_shape = 3. A map has no order, so names give one. */
function valuesOf(reader: Reader, signature: Field, number: 1 | 2): Signature {
  const values = [...entriesOf(reader, signature, number)].map(([keyField, value]) => {
    const key = text(reader, keyField.start, keyField.end);
    const header = tensorIn(reader, value, key, { dtype: 2, shape: 3 });
    return [key, { header, tensor: textField(reader, value, 1) }] as const;
  });
  return new Map(values.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Refuses names of inputs and outputs that a model does not have, all of them at once. */
function checkNames(
  where: string,
  names: GraphNames,
  has: (name: string, option: Option) => boolean,
  candidates: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
  listed: string,
): void {
  const unknown = (['inputs', 'outputs'] as const).flatMap((option) =>
    (names[option] ?? []).filter((name) => !has(name, option)).map((name) => ({ option, name })),
  );
  if (unknown.length === 0) return;
  const said = unknown.map(({ option, name }) => `'${name}' (${option})`).join(', ');
  // Every other short name is near to a short one.
  const near = unknown.flatMap(({ option, name }) =>
    name.length < 3 ? [] : (nearest(name, candidates[option]) ?? []),
  );
  const hint = [...near.slice(0, mostListed).map((name) => `did you mean '${name}'?`), listed].join(' ');
  throw new ModelFileError('names', `has no ${said} in ${where}`, hint);
}

function listing(lists: readonly (readonly [what: string, names: readonly string[]])[]): string {
  return lists
    .map(([what, names]) => {
      const shown = names.slice(0, mostListed).join(', ');
      return `its ${what} are: ${names.length === 0 ? 'none' : shown}${names.length > mostListed ? ', …' : ''}`;
    })
    .join('; ');
}
