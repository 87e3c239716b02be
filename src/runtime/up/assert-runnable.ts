import { WorkflowError } from '../../diagnostics/index.js';
import { notRunnable, type Store } from '../../ir/index.js';

/** Throws RUN1011 for a store that asks for what this version's stores cannot do, so that nothing is left out in silence. */
export function assertRunnable(store: Store): void {
  const [first] = notRunnable(store);
  if (first === undefined) return;
  throw new WorkflowError({
    code: 'RUN1011',
    message: `store '${store.name}': ${first} is not there yet`,
    hint: 'you can compile and read its scripts; to run them, use the embedded engine, in one piece',
  });
}
