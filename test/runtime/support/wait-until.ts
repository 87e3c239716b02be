/** Polls until the condition is `true`; fails with what it last was. */
export async function waitUntil(
  what: string,
  condition: () => unknown | Promise<unknown>,
  seconds = 20,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  let last: unknown;
  while (performance.now() < end) {
    last = await condition();
    if (last === true) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited ${seconds} s, but not: ${what} (${String(last)})`);
}
