/** Most sets that are looked for: graphs may have more than could ever be listed. */
const most = 500;

/**
 * Sets of nodes of a graph that are all neighbours of each other, and that no other node could join (Bron and Kerbosch, with a pivot);
 * undefined if there are more than 500.
 */
export function cliques<Node>(
  nodes: readonly Node[],
  neighbours: ReadonlyMap<Node, readonly Node[]>,
): (readonly Node[])[] | undefined {
  const sets = new Map(nodes.map((node) => [node, new Set(neighbours.get(node) ?? [])]));
  const among = (some: readonly Node[], node: Node) => some.filter((one) => sets.get(node)?.has(one) === true);
  const found: (readonly Node[])[] = [];
  const open: { chosen: readonly Node[]; candidates: readonly Node[]; excluded: readonly Node[] }[] = [
    { chosen: [], candidates: nodes, excluded: [] },
  ];
  for (let top = open.pop(); top !== undefined; top = open.pop()) {
    if (found.length > most || open.length > most) return undefined;
    const { chosen, candidates, excluded } = top;
    if (candidates.length === 0) {
      if (excluded.length === 0 && chosen.length > 0) found.push(chosen);
      continue;
    }
    const pivots = [...candidates, ...excluded].map((node) => ({ node, covers: among(candidates, node).length }));
    const pivot = pivots.reduce((best, one) => (one.covers > best.covers ? one : best)).node;
    const tried = candidates.filter((node) => sets.get(pivot)?.has(node) !== true);
    for (const [index, node] of tried.entries()) {
      const done = new Set(tried.slice(0, index));
      open.push({
        chosen: [...chosen, node],
        candidates: among(candidates, node).filter((one) => !done.has(one)),
        excluded: [...among(excluded, node), ...among([...done], node)],
      });
    }
  }
  return found;
}
