import { escapeControls, type Problems } from '../../../diagnostics/index.js';
import { applicationsOf, type MlModelDeclaration } from '../../../ir/index.js';
import { typedArrays } from '../../../ml/dtypes.js';
import type { TensorHeader } from '../../../model-files/header.js';
import type { Reads } from '../compilation.js';

/** Warns of inputs and outputs of ML models whose types clients cannot send or read, or their backends do not take. */
export function checkModelTypes({ experiment, facts }: Reads<'experiment' | 'facts'>, problems: Problems): void {
  for (const { mlModels } of applicationsOf(experiment)) {
    for (const model of mlModels) {
      const { inputs = [], outputs = [] } = facts.mlModels.get(model)?.header ?? {};
      inputs.forEach((input, index) => {
        checkType(model, 'input', input, index, problems);
      });
      outputs.forEach((output, index) => {
        checkType(model, 'output', output, index, problems);
      });
    }
  }
}

function checkType(
  model: MlModelDeclaration,
  kind: 'input' | 'output',
  tensor: TensorHeader,
  index: number,
  problems: Problems,
): void {
  const which = tensor.name === undefined ? `${kind} ${index + 1}` : `${kind} '${escapeControls(tensor.name)}'`;
  const warn = (is: string, hint: string) =>
    problems.warning('ML1005', `.addMlModel('${model.name}'): its ${which} is ${is}`, model.at, hint);
  const foreign = foreignType(tensor);
  if (foreign !== undefined) {
    warn(`${foreign.is}, which no client can ${kind === 'input' ? 'send' : 'read'}`, foreign.hint);
  } else if (model.backend === 'TORCH' && tensor.dtype === 'UINT16') {
    warn('of type UINT16, which stores do not hand to PyTorch', 'export the model with int32 at this place');
  }
}

/** True if every client has tensors of the type. */
function isOfClients(dtype: string): boolean {
  return Object.hasOwn(typedArrays, dtype);
}

/** Description of a value that no client tensor can hold, with a hint; undefined if one can. */
function foreignType({
  dtype,
  shape,
  other,
}: TensorHeader): { readonly is: string; readonly hint: string } | undefined {
  if (other === 'sequence or map') {
    return {
      is: 'no tensor (a sequence, a map)',
      hint: "export the model with tensors alone: skl2onnx's zipmap=False",
    };
  }
  if (other !== undefined) {
    return {
      is: `no tensor (${escapeControls(other)})`,
      hint: 'export the model with a forward that takes and returns tensors alone',
    };
  }
  if (dtype !== undefined && !isOfClients(dtype)) {
    return {
      is: `of type ${dtype === 'BOOL' || dtype === 'STRING' ? dtype.toLowerCase() : dtype}`,
      hint: 'export the model with a Cast, such as to float, at this place',
    };
  }
  return shape?.length === 0
    ? { is: 'a scalar', hint: 'tensors have at least one dimension: export the model with a Reshape to [1]' }
    : undefined;
}
