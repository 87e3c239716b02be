import type { Archive } from './archive.js';
import { MalformedError } from './errors.js';
import type { ModelDtype, TensorHeader } from './header.js';
import { type PickledCall, type PickledName, readPickle } from './pickle.js';

/** Names of element types by PyTorch's names of the storages that hold them. */
const dtypes: Readonly<Record<string, ModelDtype>> = {
  ...{ FloatStorage: 'FLOAT', DoubleStorage: 'DOUBLE', CharStorage: 'INT8', ShortStorage: 'INT16' },
  ...{ IntStorage: 'INT32', LongStorage: 'INT64', ByteStorage: 'UINT8', BoolStorage: 'BOOL', HalfStorage: 'float16' },
  ...{ BFloat16Storage: 'bfloat16', ComplexFloatStorage: 'complex64', ComplexDoubleStorage: 'complex128' },
};

/** Type and shape of a tensor that a model was traced with: others may go as well. */
export type Example = NonNullable<TensorHeader['example']>;

/** Largest list of examples that is read, in bytes. */
const mostBytes = 64 * 1024;

/**
 * Types and shapes of the tensors with which a TorchScript module was traced, which PyTorch keeps beside it without their values; undefined
 * for one that was scripted, or traced by a PyTorch that kept none, or with anything but tensors.
 */
export function tracedInputs(archive: Archive): Example[] | undefined {
  const bytes = archive.read('traced_inputs.pkl', mostBytes);
  if (bytes === undefined) return undefined;
  try {
    const inputs = listOf(mapOf(readPickle(bytes))?.get('forward'));
    const examples = inputs?.flatMap((input) => exampleOf(input) ?? []);
    return examples !== undefined && examples.length === inputs?.length ? examples : undefined;
  } catch (error) {
    // They are no part of the model.
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

/** A tensor is `_rebuild_tensor_v2(('storage', TYPE, …), offset, shape, …)`. */
function exampleOf(value: unknown): Example | undefined {
  if (!isCall(value) || !isName(value.callee) || value.callee.name !== '_rebuild_tensor_v2') return undefined;
  const [storage, , shape] = Array.isArray(value.arguments) ? value.arguments : [];
  const type: unknown = Array.isArray(storage) ? storage[1] : undefined;
  const dtype = isName(type) && Object.hasOwn(dtypes, type.name) ? dtypes[type.name] : undefined;
  const isShape = Array.isArray(shape) && shape.every((size) => typeof size === 'number' && size >= 0);
  return dtype === undefined || !isShape ? undefined : { dtype, shape };
}

/** A container is `restore_type_tag(VALUE, TYPE)`, or the value alone. */
function untagged(value: unknown): unknown {
  if (!isCall(value) || !isName(value.callee) || value.callee.name !== 'restore_type_tag') return value;
  return Array.isArray(value.arguments) ? value.arguments[0] : undefined;
}

function mapOf(value: unknown): Map<unknown, unknown> | undefined {
  const map = untagged(value);
  return map instanceof Map ? map : undefined;
}

function listOf(value: unknown): unknown[] | undefined {
  const list = untagged(value);
  return Array.isArray(list) ? list : undefined;
}

function isCall(value: unknown): value is PickledCall {
  return hasKind(value, 'call');
}

function isName(value: unknown): value is PickledName {
  return hasKind(value, 'name');
}

function hasKind(value: unknown, kind: string): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}
