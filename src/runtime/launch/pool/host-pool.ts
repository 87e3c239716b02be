import { type FSWatcher, watch } from 'node:fs';
import { isAlive, ownIdentity } from '../../job/process-identity.js';
import type { StopRequest } from '../stop-request.js';
import { type Books, countShares, type Entry, emptyBooks, isOf, roomInLine } from './books.js';
import { describeWait } from './describe-wait.js';
import type { Need, PoolNode, Share } from './room.js';
import { VersionedFile } from './versioned-file.js';

/** Milliseconds for which a launch keeps the share of a member that has ended for its next one, unless somebody else waits. */
const spareMs = 30;

/** Milliseconds between two looks at whether launches that hold hosts have died: their death changes no file. */
const lookMs = 1000;

/** Milliseconds of waiting after which it is told of. */
const longMs = 5000;

/** Launches of one job that draw from the pool, and this one. */
export interface PoolInput {
  /** Folder of the books, made when it is needed; without one the launch shares out the hosts as if it were the only one. */
  readonly folder: string | undefined;
  readonly nodes: readonly PoolNode[];
  readonly entity: string;
  /** Need of each member: one that the nodes have when they are empty. */
  readonly need: Need;
  /** True if members of the second entity may be waiting for what those of the first do. */
  readonly awaits: (waiting: string, awaited: string) => boolean;
  readonly stop: StopRequest;
  readonly report: (problem: unknown) => void;
}

interface Waiting {
  readonly resolve: (share: Share | undefined) => void;
}

/**
 * The job's hosts, which all its launches share out among their members. They keep books in files of the job's own folder: what each launch
 * holds, and who waits. First come, first served; a launch that has died holds nothing.
 */
export class HostPool {
  readonly #input: PoolInput;
  readonly #self = ownIdentity();
  #file: Pick<VersionedFile<Books>, 'read' | 'replace' | 'isUnchanged'>;
  readonly #held = new Set<Share>();
  readonly #waiting: Waiting[] = [];
  #spares: Share[] = [];
  #turn: number | undefined;
  /** Entry of this launch in the books. */
  #written = '';
  #othersWait = false;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #spareTimer: NodeJS.Timeout | undefined;
  #next: NodeJS.Immediate | undefined;

  constructor(input: PoolInput) {
    this.#input = input;
    this.#file = input.folder === undefined ? ownBooks() : new VersionedFile(input.folder, emptyBooks);
  }

  /** Waits for the share of a member; `undefined` at a stop request. `say` is told why that takes long. */
  async take(say: (why: string) => void): Promise<Share | undefined> {
    const { stop } = this.#input;
    if (stop.reason !== undefined) return undefined;
    const spare = this.#spares.length > 0 && this.#isUnasked() ? this.#spares.pop() : undefined;
    if (spare !== undefined) {
      this.#held.add(spare);
      return spare;
    }
    let withdraw: (() => void) | undefined;
    const timer = setTimeout(() => say(this.#why()), longMs);
    try {
      return await new Promise((resolve) => {
        const waiting = { resolve };
        this.#waiting.push(waiting);
        withdraw = stop.onRequest(() => {
          const at = this.#waiting.indexOf(waiting);
          if (at >= 0) this.#waiting.splice(at, 1);
          resolve(undefined);
          this.#lookSoon();
        });
        this.#lookSoon();
      });
    } finally {
      clearTimeout(timer);
      withdraw?.();
    }
  }

  /** Gives back what a member held. */
  give(share: Share): void {
    if (!this.#held.delete(share)) return;
    this.#spares.push(share);
    if (this.#waiting.length > 0 || !this.#isUnasked()) this.#lookSoon();
    else this.#spareTimer ??= setTimeout(() => this.#dropSpares(), spareMs);
  }

  /** Gives back everything. */
  close(): void {
    this.#held.clear();
    this.#dropSpares();
    this.#rest();
    clearImmediate(this.#next);
  }

  /** True if no other launch waits, as far as can be known without reading all. */
  #isUnasked(): boolean {
    return !this.#othersWait && this.#file.isUnchanged();
  }

  #dropSpares(): void {
    clearTimeout(this.#spareTimer);
    this.#spareTimer = undefined;
    this.#spares = [];
    this.#look();
  }

  #lookSoon(): void {
    this.#next ??= setImmediate(() => {
      this.#next = undefined;
      this.#look();
    });
  }

  /** Looks into the books, and takes what there is for those that wait. */
  #look(): void {
    try {
      while (this.#lookOnce());
    } catch (error) {
      // Better two members on one host than none at all.
      this.#input.report(error);
      this.#file = ownBooks();
      while (this.#lookOnce());
    }
    if (this.#waiting.length === 0) this.#rest();
    else this.#listen();
  }

  /** True if a further look may find more. */
  #lookOnce(): boolean {
    const read = this.#file.read();
    const others = read.content.entries.filter((entry) => !isOf(entry, this.#self) && isAlive(entry));
    const { among } = this.#input.need;
    this.#othersWait = others.some(({ waits }) => waits?.need.among.some((node) => among.includes(node)));
    if (this.#othersWait) this.#spares = [];
    const handedOn = this.#waiting.slice(0, this.#spares.length);
    const claimed = this.#waiting.length > handedOn.length ? this.#claim(read.content, others, handedOn.length) : [];
    const left = this.#waiting.length - handedOn.length - claimed.length;
    // A launch that got some queues again behind those that wait.
    const isServed = claimed.length > 0 || this.#turn === undefined;
    const turn = left === 0 ? undefined : isServed ? read.content.nextTurn : this.#turn;
    const own = this.#entry(claimed, turn);
    if (own !== this.#written || !this.#isWritten(read.content, own)) {
      const nextTurn = read.content.nextTurn + Number(left > 0 && isServed);
      const entries = own === '' ? others : [...others, JSON.parse(own) as Entry];
      if (!this.#file.replace(read, { entries, nextTurn })) return true;
      this.#written = own;
    }
    this.#turn = turn;
    for (const { resolve } of this.#waiting.splice(0, handedOn.length))
      this.#hand(this.#spares.pop() as Share, resolve);
    for (const share of claimed) this.#hand(share, (this.#waiting.shift() as Waiting).resolve);
    return claimed.length > 0 && left > 0;
  }

  #hand(share: Share, resolve: (share: Share) => void): void {
    this.#held.add(share);
    resolve(share);
  }

  /** Shares for those that wait: all that there is room for, or one where others wait as well. */
  #claim({ nextTurn }: Books, others: readonly Entry[], served: number): Share[] {
    const { nodes, need, entity, awaits } = this.#input;
    const all = [...others, { ...this.#self, entity, shares: countShares([...this.#held, ...this.#spares]) }];
    const holders = others.filter(({ shares }) => shares.length > 0).map((one) => one.entity);
    const isAwaited = (name: string) => holders.some((holder) => holder !== name && awaits(holder, name));
    const own = { turn: this.#turn ?? nextTurn, need, isUrgent: isAwaited(entity) };
    const room = roomInLine(nodes, all, own, (entry) => isAwaited(entry.entity));
    const claimed: Share[] = [];
    const most = this.#othersWait ? 1 : this.#waiting.length - served;
    while (room !== undefined && claimed.length < most) {
      const share = room.fit(need);
      if (share === undefined) break;
      room.take(share);
      claimed.push(share);
    }
    return claimed;
  }

  /** This launch as the books are to have it; empty if it neither holds nor waits. */
  #entry(claimed: readonly Share[], turn: number | undefined): string {
    const shares = countShares([...this.#held, ...this.#spares, ...claimed]);
    if (shares.length === 0 && turn === undefined) return '';
    const waits = turn === undefined ? {} : { waits: { turn, need: this.#input.need } };
    return JSON.stringify({ ...this.#self, entity: this.#input.entity, shares, ...waits });
  }

  /** True if the books have this launch as it is to be: their folder may have been removed. */
  #isWritten({ entries }: Books, own: string): boolean {
    return own === '' || entries.some((entry) => isOf(entry, this.#self));
  }

  #why(): string {
    const { content } = this.#file.read();
    const { nodes, need } = this.#input;
    return describeWait(
      need,
      nodes,
      content.entries.filter((entry) => !isOf(entry, this.#self)),
    );
  }

  #listen(): void {
    this.#timer ??= setInterval(() => this.#look(), lookMs);
    const { folder } = this.#input;
    if (this.#watcher !== undefined || folder === undefined) return;
    try {
      this.#watcher = watch(folder, () => this.#lookSoon());
      this.#watcher.on('error', () => {
        this.#watcher?.close();
        this.#watcher = undefined;
      });
    } catch {
      // The system has no watch to give, or there is no folder: the timer looks.
    }
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}

/** Books that nobody else reads. */
function ownBooks(): Pick<VersionedFile<Books>, 'read' | 'replace' | 'isUnchanged'> {
  let last = { version: 1, content: emptyBooks };
  return {
    read: () => last,
    isUnchanged: () => true,
    replace: (_read, content) => {
      last = { version: last.version + 1, content };
      return true;
    },
  };
}
