/** Machines are up to three times as slow as the one that the seconds were chosen on. */
const patience = 3;

/** Polls until the condition is `true`; fails with what it last was. */
export async function waitUntil(
  what: string,
  condition: () => unknown | Promise<unknown>,
  seconds = 20,
): Promise<void> {
  const end = performance.now() + seconds * patience * 1000;
  let last: unknown;
  while (performance.now() < end) {
    last = await condition();
    if (last === true) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited ${seconds * patience} s, but not: ${what} (${String(last)})`);
}
