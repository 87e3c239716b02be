/** A field of a protobuf message: a number, or bytes (text, a message). */
export function field(number: number, value: number | string | Buffer): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)]);
  const bytes = Buffer.from(value as string);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

function value(name: string, type: number, shape: readonly (number | string)[]): Buffer {
  const dimensions = shape.map((size) => field(1, typeof size === 'number' ? field(1, size) : field(2, size)));
  const tensor = Buffer.concat([field(1, type), field(2, Buffer.concat(dimensions))]);
  return Buffer.concat([field(1, name), field(2, field(1, tensor))]);
}

/**
 * An ONNX model of one operator whose output y has the type and shape given. Its input x has them too if `alike`, else it
 * is floats of the shape [n, 2].
 */
export function oneOperator(
  operator: string,
  outputType: number,
  outputShape: readonly (number | string)[],
  alike = false,
): Buffer {
  const node = Buffer.concat([field(1, 'x'), field(2, 'y'), field(4, operator)]);
  const graph = [
    field(1, node),
    field(2, 'g'),
    field(11, alike ? value('x', outputType, outputShape) : value('x', 1, ['n', 2])),
    field(12, value('y', outputType, outputShape)),
  ];
  return Buffer.concat([field(1, 8), field(7, Buffer.concat(graph)), field(8, field(2, 17))]);
}

/** A model that squares its square matrix x so often, one product after the other: as slow as wanted, and without a loop. */
export function repeatedSquares(times: number): Buffer {
  const nodes = Array.from({ length: times }, (_, at) => {
    const from = at === 0 ? 'x' : `p${at}`;
    const to = at === times - 1 ? 'y' : `p${at + 1}`;
    return field(1, Buffer.concat([field(1, from), field(1, from), field(2, to), field(4, 'MatMul')]));
  });
  const graph = [...nodes, field(2, 'g'), field(11, value('x', 1, ['n', 'n'])), field(12, value('y', 1, ['n', 'n']))];
  return Buffer.concat([field(1, 8), field(7, Buffer.concat(graph)), field(8, field(2, 17))]);
}

/** An ONNX model y = x + w whose w lies in another file, which may be told by `data_location` alone or by a Constant node. */
export function withExternalData(file: string, elements: number, how: 'initializer' | 'constant' | 'function'): Buffer {
  const entry = (key: string, text: string) => field(13, Buffer.concat([field(1, key), field(2, text)]));
  const tensor = Buffer.concat([
    field(1, elements),
    field(2, 3),
    field(8, 'w'),
    entry('location', file),
    entry('offset', '0'),
    entry('length', String(elements)),
    field(14, 1),
  ]);
  const add = field(1, Buffer.concat([field(1, 'x'), field(1, 'w'), field(2, 'y'), field(4, 'Add')]));
  const attribute = Buffer.concat([field(1, 'value'), field(20, 4), field(5, tensor)]);
  const constant = Buffer.concat([field(2, 'w'), field(4, 'Constant'), field(5, attribute)]);
  const graph = Buffer.concat([
    how === 'initializer' ? field(5, tensor) : how === 'constant' ? field(1, constant) : Buffer.alloc(0),
    add,
    field(2, 'g'),
    field(11, value('x', 3, [elements])),
    field(12, value('y', 3, [elements])),
  ]);
  const functions = how === 'function' ? [field(25, Buffer.concat([field(1, 'f'), field(7, constant)]))] : [];
  return Buffer.concat([field(1, 8), field(7, graph), field(8, field(2, 17)), ...functions]);
}
