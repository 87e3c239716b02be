import type { Problems } from '../../../diagnostics/index.js';
import { applicationsOf, type MlModelDeclaration } from '../../../ir/index.js';
import type { OnnxGraph, OnnxValue } from '../../inspect/index.js';
import type { Reads } from '../compilation.js';

/** Warns of inputs and outputs of ONNX models whose types clients cannot send or read. */
export function checkModelTypes({ experiment, facts }: Reads<'experiment' | 'facts'>, problems: Problems): void {
  for (const { mlModels } of applicationsOf(experiment)) {
    for (const model of mlModels) {
      const graph = facts.mlModels.get(model)?.graph;
      if (graph !== undefined) checkTypes(model, graph, problems);
    }
  }
}

function checkTypes(model: MlModelDeclaration, { inputs, outputs }: OnnxGraph, problems: Problems): void {
  const check = (kind: 'input' | 'output', value: OnnxValue) => {
    const what = foreignType(value);
    if (what === undefined) return;
    const message = `.addMlModel('${model.name}'): its ${kind} '${value.name}' is ${what.is}, which no client can ${kind === 'input' ? 'send' : 'read'}`;
    problems.warning('ML1005', message, model.at, what.hint);
  };
  for (const input of inputs) check('input', input);
  for (const output of outputs) check('output', output);
}

/** Tensor types of the clients, by ONNX's numbers: float, uint8, int8, uint16, int16, int32, int64, double. */
const clientTypes = new Set([1, 2, 3, 4, 5, 6, 7, 11]);

/** Names of the other types, by ONNX's numbers. */
const otherTypes: Readonly<Record<number, string>> = {
  8: 'string',
  9: 'bool',
  10: 'float16',
  12: 'uint32',
  13: 'uint64',
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
};

/** Description of a value that no client tensor can hold, with a hint; undefined if one can. */
function foreignType({ elementType, rank }: OnnxValue): { readonly is: string; readonly hint: string } | undefined {
  if (elementType === 0) {
    return {
      is: 'no tensor (a sequence, a map)',
      hint: "export the model with tensors alone: skl2onnx's zipmap=False",
    };
  }
  if (!clientTypes.has(elementType)) {
    const name = otherTypes[elementType] ?? `number ${elementType} of ONNX`;
    return { is: `of type ${name}`, hint: 'export the model with a Cast, such as to float, at this place' };
  }
  return rank === 0
    ? { is: 'a scalar', hint: 'tensors have at least one dimension: export the model with a Reshape to [1]' }
    : undefined;
}
