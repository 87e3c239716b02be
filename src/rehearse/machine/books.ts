import type { AllocatedNode, Share } from '../standins.js';

const parts = ['cpus', 'gpus', 'memoryMiB'] as const;

/** Books of who holds which CPUs, GPUs and memory of nodes. */
export class Books<Holder> {
  readonly #size: ReadonlyMap<string, Share>;
  readonly #held: { readonly node: string; readonly share: Share; readonly holder: Holder }[] = [];

  constructor(nodes: readonly AllocatedNode[]) {
    this.#size = new Map(nodes.map(({ name, cpus, gpus, memoryMiB }) => [name, { cpus, gpus, memoryMiB }]));
  }

  /** Free part of a node, as if the holders that `but` picks out held nothing. */
  free(node: string, but: (holder: Holder) => boolean = () => false): Share {
    const size = this.#size.get(node) ?? { cpus: 0, gpus: 0, memoryMiB: 0 };
    const counted = this.#held.filter((one) => one.node === node && !but(one.holder));
    const left = (part: (typeof parts)[number]) => counted.reduce((rest, { share }) => rest - share[part], size[part]);
    return { cpus: left('cpus'), gpus: left('gpus'), memoryMiB: left('memoryMiB') };
  }

  hasRoom(node: string, share: Share, but?: (holder: Holder) => boolean): boolean {
    const free = this.free(node, but);
    return parts.every((part) => share[part] <= free[part] + 1e-6);
  }

  take(node: string, share: Share, holder: Holder): void {
    this.#held.push({ node, share, holder });
  }

  release(holder: Holder): void {
    for (let at = this.#held.length - 1; at >= 0; at--) if (this.#held[at]?.holder === holder) this.#held.splice(at, 1);
  }

  /** Holders of a node with their shares. */
  holdersOf(node: string): readonly { readonly share: Share; readonly holder: Holder }[] {
    return this.#held.filter((one) => one.node === node);
  }
}
