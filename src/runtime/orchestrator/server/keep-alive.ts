import { performance } from 'node:perf_hooks';

/** SmartRedis gives up when nothing comes for 250 ms. */
const silenceMs = 150;
const tickMs = 50;
/** The beginning of an array of one element, which is another such array, and so on. */
const opening = Buffer.from('*1\r\n');

/** A reply that is waited for. */
export interface LateReply {
  /** Sends a byte, unless the peer has others to read. */
  send(byte: Uint8Array): boolean;
}

interface Watched {
  lastMs: number;
  bytes: number;
}

/**
 * Keeps clients from giving up on slow answers: nests the reply in arrays of one element, whose opening lines go out a
 * byte at a time. SmartRedis looks through them for errors and ignores the rest.
 */
export class KeepAlive {
  readonly #watched = new Map<LateReply, Watched>();
  #timer: NodeJS.Timeout | undefined;

  watch(reply: LateReply): void {
    this.#watched.set(reply, { lastMs: performance.now(), bytes: 0 });
    this.#timer ??= setInterval(() => this.#tick(), tickMs).unref();
  }

  /** Bytes that must go before the reply now that it has come. */
  end(reply: LateReply): Uint8Array | undefined {
    const bytes = this.#watched.get(reply)?.bytes ?? 0;
    this.#watched.delete(reply);
    return bytes % opening.length === 0 ? undefined : opening.subarray(bytes % opening.length);
  }

  #tick(): void {
    if (this.#watched.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    for (const [reply, watched] of this.#watched) {
      if (now - watched.lastMs < silenceMs - tickMs / 2) continue;
      const at = watched.bytes % opening.length;
      if (reply.send(opening.subarray(at, at + 1))) watched.bytes += 1;
      watched.lastMs = now;
    }
  }
}
