/** Number of graph nodes that are handled together: the bits of a machine word. */
const width = 32;

/**
 * For each node of an acyclic graph, the sum of the weights of its ancestors. `before` lists the direct predecessors of each node; `sorted`
 * has each node after its predecessors.
 *
 * Ancestors are found for 32 nodes at a time. Memory grows with the size of the graph; time grows with that size times the number of nodes
 * with neighbours, divided by 32. Nodes without neighbours cost nothing.
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
  // For each position, one bit for each node of the block that is an ancestor of it, or is it.
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

/** The predecessors of each position, as positions: `edges[starts[at]]` to `edges[starts[at + 1] - 1]`. */
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

/** A function from bits to the sum of the weights whose bits are set. */
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
