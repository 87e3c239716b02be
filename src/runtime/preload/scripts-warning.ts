import type { Store } from '../../ir/index.js';

/** Warning for a store that has scripts: it keeps them, and calls of them fail. */
export function scriptsWarning(store: Store): string {
  const names = store.scripts.map(({ name }) => `'${name}'`).join(', ');
  return `store '${store.name}' keeps ${names}; running a script needs a Torch worker, which the embedded engine does not have yet`;
}
