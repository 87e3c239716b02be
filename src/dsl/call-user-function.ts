import { type ErrorCode, locationInStack } from '../diagnostics/index.js';
import { type Arguments, show } from './arguments.js';

/**
 * What a user's own function returns. If it throws, that becomes a problem at the place it was thrown from, as far as that lies in the file of
 * the call, and the result is `undefined`.
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
