import { type ErrorCode, locationInStack } from '../diagnostics/index.js';
import { type Arguments, show } from './arguments.js';

/**
 * The result of a user's own function. If the function throws, the result is `undefined`, and there is a problem at the place of the throw, or at
 * the call if the throw is in another file.
 */
export function callUserFunction<Result>(
  checked: Arguments,
  code: ErrorCode,
  call: () => Result,
): { readonly returned: Result } | undefined {
  try {
    return { returned: call() };
  } catch (thrown) {
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    const place = locationInStack(stack, (file) => file === checked.at?.file) ?? checked.at;
    const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : show(thrown);
    checked.problems.error(code, `${checked.call}: the function threw ${what}`, place);
    return undefined;
  }
}
