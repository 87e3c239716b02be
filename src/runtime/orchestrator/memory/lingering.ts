let bytes = 0;

/** Bytes of values that no key holds any more, and that cannot be freed yet, since somebody reads them. */
export function lingeringBytes(): number {
  return bytes;
}

/** Counts bytes that linger from now on, or, if negative, no longer. */
export function countLingering(more: number): void {
  bytes += more;
}
