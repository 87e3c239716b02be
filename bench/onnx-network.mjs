/** @param {number} value */
function varint(value) {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/**
 * A field of a protobuf message: a number, or bytes.
 * @param {number} number
 * @param {number | string | Buffer} value
 */
function field(number, value) {
  if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)]);
  const bytes = Buffer.from(/** @type {string} */ (value));
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

/**
 * @param {string} name
 * @param {number} width
 */
function value(name, width) {
  const shape = Buffer.concat([field(1, field(2, 'n')), field(1, field(1, width))]);
  return Buffer.concat([field(1, name), field(2, field(1, Buffer.concat([field(1, 1), field(2, shape)])))]);
}

/**
 * @param {string} name
 * @param {readonly number[]} shape
 * @param {number} seed
 */
function weights(name, shape, seed) {
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length: count }, (_, index) => Math.sin(index * 0.7 + seed) / 16);
  return Buffer.concat([
    ...shape.map((size) => field(1, size)),
    field(2, 1),
    field(8, name),
    field(9, Buffer.from(data.buffer)),
  ]);
}

/**
 * A fully connected network with tanh between its layers, as an ONNX model: x of [n, first width] to y of [n, last width].
 * @param {readonly number[]} widths
 */
export function network(...widths) {
  const nodes = [];
  const constants = [];
  let input = 'x';
  for (let layer = 0; layer + 1 < widths.length; layer += 1) {
    const last = layer + 2 === widths.length;
    const output = last ? 'y' : `g${layer}`;
    constants.push(weights(`w${layer}`, [widths[layer], widths[layer + 1]], layer));
    constants.push(weights(`b${layer}`, [widths[layer + 1]], layer));
    nodes.push(
      Buffer.concat([
        field(1, input),
        field(1, `w${layer}`),
        field(1, `b${layer}`),
        field(2, output),
        field(4, 'Gemm'),
      ]),
    );
    if (!last) nodes.push(Buffer.concat([field(1, output), field(2, `t${layer}`), field(4, 'Tanh')]));
    input = `t${layer}`;
  }
  const graph = Buffer.concat([
    ...nodes.map((node) => field(1, node)),
    field(2, 'network'),
    ...constants.map((constant) => field(5, constant)),
    field(11, value('x', widths[0])),
    field(12, value('y', widths[widths.length - 1])),
  ]);
  return Buffer.concat([field(1, 8), field(7, graph), field(8, field(2, 17))]);
}
