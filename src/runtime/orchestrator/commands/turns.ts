import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest time for which one command goes on before others have their turn. */
const turnMs = 5;
const lookEvery = 128;

/** Visits all items; of many only some a turn of the event loop. The result comes at once if one turn is enough. */
export function inTurns<Item, Result>(
  items: Iterator<Item>,
  visit: (item: Item) => void,
  result: () => Result,
): Result | Promise<Result> {
  if (goOn(items, visit)) return result();
  return finish(items, visit, result);
}

async function finish<Item, Result>(
  items: Iterator<Item>,
  visit: (item: Item) => void,
  result: () => Result,
): Promise<Result> {
  do await nextTurn();
  while (!goOn(items, visit));
  return result();
}

/** True at the end. */
function goOn<Item>(items: Iterator<Item>, visit: (item: Item) => void): boolean {
  const until = performance.now() + turnMs;
  for (let visited = 1; ; visited += 1) {
    const next = items.next();
    if (next.done === true) return true;
    visit(next.value);
    if (visited % lookEvery === 0 && performance.now() > until) return false;
  }
}
