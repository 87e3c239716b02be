/** Amounts of a node's resources. */
export interface Amounts {
  readonly cpus: number;
  readonly gpus: number;
  readonly memoryMiB: number;
}

/** A launch, or a store, that takes the same amounts on each of several nodes. */
export interface Piece {
  readonly nodes: number;
  readonly onNode: Amounts;
  /** Nothing else may run on its nodes. */
  readonly wholeNodes: boolean;
}

/** A node with what is left of it. */
interface Bin {
  readonly left: Amounts;
  /** Nothing runs on it yet, stores apart. */
  readonly isFree: boolean;
  readonly isWhole: boolean;
}

/**
 * True if all pieces find room at the same time on nodes with these amounts left: by first fit decreasing, or, where that fails, with the
 * fullest or the emptiest nodes first. Each piece takes as many different nodes as it says.
 */
export function packs(pieces: readonly Piece[], nodes: readonly Amounts[]): boolean {
  const sorted = [...pieces].sort((a, b) => weight(b, nodes) - weight(a, nodes));
  const orders: ((bins: readonly Bin[]) => readonly number[])[] = [inTurn, byRoom(1), byRoom(-1)];
  return orders.some((order) => placesAll(sorted, nodes, order));
}

/** True if all pieces find room whatever the order in which they come, as far as three orders tell: each takes the emptiest nodes, as the runtime's books give them. */
export function packsInAnyOrder(pieces: readonly Piece[], nodes: readonly Amounts[]): boolean {
  const sorted = [...pieces].sort((a, b) => weight(a, nodes) - weight(b, nodes));
  return [pieces, sorted, [...sorted].reverse()].every((some) => placesAll(some, nodes, byRoom(-1)));
}

/** Share of the largest node that a piece takes, times its nodes. */
function weight({ nodes: count, onNode, wholeNodes }: Piece, nodes: readonly Amounts[]): number {
  const share = (key: keyof Amounts) => {
    const largest = nodes.reduce((most, node) => Math.max(most, node[key]), 0);
    return Number.isFinite(largest) && largest > 0 ? onNode[key] / largest : 0;
  };
  return wholeNodes ? count * 2 : count * Math.max(share('cpus'), share('gpus'), share('memoryMiB'));
}

function placesAll(
  pieces: readonly Piece[],
  nodes: readonly Amounts[],
  order: (bins: readonly Bin[]) => readonly number[],
): boolean {
  const bins: Bin[] = nodes.map((left) => ({ left, isFree: true, isWhole: false }));
  for (const piece of pieces) {
    const chosen = order(bins)
      .filter((index) => hasRoom(bins[index] as Bin, piece))
      .slice(0, piece.nodes);
    if (chosen.length < piece.nodes) return false;
    for (const index of chosen) {
      const { left } = bins[index] as Bin;
      bins[index] = { left: minus(left, piece.onNode), isFree: false, isWhole: piece.wholeNodes };
    }
  }
  return true;
}

function hasRoom({ left, isFree, isWhole }: Bin, { onNode, wholeNodes }: Piece): boolean {
  if (isWhole || (wholeNodes && !isFree)) return false;
  return left.cpus >= onNode.cpus && left.gpus >= onNode.gpus && left.memoryMiB >= onNode.memoryMiB;
}

/** The first amounts without the second. */
export function minus(a: Amounts, b: Amounts): Amounts {
  return { cpus: a.cpus - b.cpus, gpus: a.gpus - b.gpus, memoryMiB: a.memoryMiB - b.memoryMiB };
}

function inTurn(bins: readonly Bin[]): readonly number[] {
  return [...bins.keys()];
}

/** Positions of the nodes with the least room first (1), or with the most (-1). */
function byRoom(sign: 1 | -1): (bins: readonly Bin[]) => readonly number[] {
  const amounts = (bin: Bin) => [bin.left.cpus, bin.left.gpus, bin.left.memoryMiB];
  return (bins) =>
    [...bins.keys()].sort((a, b) => {
      const [first, second] = [amounts(bins[a] as Bin), amounts(bins[b] as Bin)];
      const at = first.findIndex((one, index) => one !== second[index]);
      return at < 0 ? a - b : sign * ((first[at] as number) - (second[at] as number));
    });
}
