/** A number with its noun: `1 node`, `3 nodes`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** A text fit for one line of a terminal or log: control characters are written as escapes, such as `\n` and `\u009b`. */
export function escapeControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1);
    // JSON leaves the upper control characters as they are, and terminals obey some of them.
    return escaped === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : escaped;
  });
}
