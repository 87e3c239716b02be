/** Bits of a file's mode that everybody may have. */
export const everybody = 0o777;

/**
 * The mode of what was made from files that are open to `access`: nobody may do anything with it who cannot read all of these. The owner keeps
 * all rights.
 */
export function restricted(mode: number, access: number): number {
  const group = (access & 0o040) === 0 ? 0 : 0o070;
  const others = (access & 0o004) === 0 ? 0 : 0o007;
  return mode & (0o700 | group | others);
}

/** True if more people can read a file than are to. A umask or a copy that opens it to those who may read it anyway is no matter. */
export function isTooOpen(found: number, wanted: number): boolean {
  return (found & 0o077 & ~restricted(everybody, wanted)) !== 0;
}
