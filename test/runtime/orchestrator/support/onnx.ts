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
