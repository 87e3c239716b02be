/** Nodes that are looked at together: as many as a machine word has bits. */
const width = 32;

/**
 * For each node of an acyclic graph, the sum of the weights of all nodes from which a path leads to it. `sorted` has each node after those
 * in `before` of it.
 *
 * Which nodes lie before a node is found for 32 of them at a time: memory grows with the graph, and time with its size times the number of
 * nodes that have neighbours, over 32. Nodes without neighbours cost nothing.
 */
export function sumsBefore(
  sorted: readonly number[],
  before: readonly (readonly number[])[],
  weights: readonly number[],
): Float64Array {
  const sums = new Float64Array(weights.length);
  const hasNeighbours = new Uint8Array(weights.length);
  for (const [node, others] of before.entries()) {
    if (others.length > 0) hasNeighbours[node] = 1;
    for (const other of others) hasNeighbours[other] = 1;
  }
  const linked = sorted.filter((node) => hasNeighbours[node] === 1);
  const position = new Int32Array(weights.length);
  for (const [at, node] of linked.entries()) position[node] = at;
  const { starts, edges } = packed(linked, before, position);
  // For each position: one bit for each of the block's nodes that lies before it or is it.
  const reached = new Int32Array(linked.length);
  for (let block = 0; block < linked.length; block += width) {
    const sumOf = sumOfBits(linked.slice(block, block + width).map((node) => weights[node] ?? 0));
    reached.fill(0, 0, block);
    for (let at = block; at < linked.length; at++) {
      let bits = 0;
      for (let edge = starts[at] as number; edge < (starts[at + 1] as number); edge++) {
        bits |= reached[edges[edge] as number] as number;
      }
      if (bits !== 0) sums[linked[at] as number] = (sums[linked[at] as number] as number) + sumOf(bits);
      reached[at] = at < block + width ? bits | (1 << (at - block)) : bits;
    }
  }
  return sums;
}

/** Positions of the nodes before each position, one list after the other. */
function packed(linked: readonly number[], before: readonly (readonly number[])[], position: Int32Array) {
  const starts = new Int32Array(linked.length + 1);
  for (const [at, node] of linked.entries()) starts[at + 1] = (starts[at] as number) + (before[node]?.length ?? 0);
  const edges = new Int32Array(starts[linked.length] as number);
  for (const [at, node] of linked.entries()) {
    for (const [number, other] of (before[node] ?? []).entries()) {
      edges[(starts[at] as number) + number] = position[other] as number;
    }
  }
  return { starts, edges };
}

/** Sum of the weights whose bits are set, looked up byte by byte. */
function sumOfBits(weights: readonly number[]): (bits: number) => number {
  const tables = [0, 1, 2, 3].map((byte) => {
    const table = new Float64Array(256);
    for (let bits = 1; bits < 256; bits++) {
      const lowest = 31 - Math.clz32(bits & -bits);
      table[bits] = (table[bits & (bits - 1)] as number) + (weights[byte * 8 + lowest] ?? 0);
    }
    return table;
  });
  const [first, second, third, fourth] = tables as [Float64Array, Float64Array, Float64Array, Float64Array];
  return (bits) =>
    (first[bits & 255] as number) +
    (second[(bits >>> 8) & 255] as number) +
    (third[(bits >>> 16) & 255] as number) +
    (fourth[bits >>> 24] as number);
}
