import type { ScriptType } from '../annotations.js';
import { typeText } from '../annotations.js';
import { item } from '../library/index.js';
import type { Graph } from '../onnx/graph.js';
import { cast } from '../onnx/kernels.js';
import { failed } from '../problem.js';
import { isFloat, scalarName } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import {
  DeviceValue,
  isNumber,
  itemsOf,
  ListValue,
  numberKind,
  RunNumber,
  TupleValue,
  typeName,
  type Value,
} from '../values/value.js';

/** The value as one of a type, undefined if it is none: a tensor without dimensions becomes a number, as in TorchScript. */
function convert(graph: Graph, value: Value, type: ScriptType): Value | undefined {
  switch (type.name) {
    case 'Any':
      return value;
    case 'None':
      return value === null ? value : undefined;
    case 'Optional':
      return value === null ? value : convert(graph, value, type.of);
    case 'Tensor':
      return value instanceof Tensor ? value : undefined;
    case 'str':
      return typeof value === 'string' ? value : undefined;
    case 'Device':
      return value instanceof DeviceValue ? value : typeof value === 'string' ? new DeviceValue(value) : undefined;
    case 'number':
      return isNumber(value) ? value : undefined;
    case 'List': {
      const items = itemsOf(value)?.map((each) => convert(graph, each, type.of));
      if (items === undefined || items.includes(undefined)) return undefined;
      return value instanceof ListValue ? value : new ListValue(items as Value[]);
    }
    case 'Tuple': {
      const items = value instanceof TupleValue ? value.items : undefined;
      if (items?.length !== type.items.length) return undefined;
      const converted = items.map((each, at) => convert(graph, each, type.items[at] as ScriptType));
      return converted.includes(undefined) ? undefined : new TupleValue(converted as Value[]);
    }
    default:
      return numberAs(graph, value, type.name);
  }
}

function numberAs(graph: Graph, value: Value, kind: 'int' | 'float' | 'bool'): Value | undefined {
  if (isNumber(value)) return numberKind(value) === kind ? value : undefined;
  if (!(value instanceof Tensor) || value.rank > 0) return undefined;
  if (kind === 'int' && isFloat(value.dtype)) {
    throw failed(`Cannot input a tensor of type ${scalarName[value.dtype]} as an integral argument`);
  }
  const number = item(graph, value);
  if (numberKind(number) === kind) return number;
  if (number instanceof RunNumber) {
    return kind === 'bool' ? undefined : new RunNumber(cast(graph, number.value, kind === 'int' ? 'INT64' : 'DOUBLE'));
  }
  return kind === 'float' ? Number(number) : kind === 'int' ? BigInt(number) : undefined;
}

/** The value as an argument of a function of the script. @throws Refusal if it is of another type */
export function argument(graph: Graph, value: Value, type: ScriptType, name: string): Value {
  const converted = convert(graph, value, type);
  if (converted !== undefined) return converted;
  throw failed(
    `Expected a value of type '${typeText(type)}' for argument '${name}' but instead found type '${typeName(value)}'.`,
  );
}
