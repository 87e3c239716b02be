/** A tag of a config template: bytes `start` to `end` (exclusive, delimiters included), 1-based line and column of its start. */
export interface TemplateTag {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly column: number;
}

/** What may stand between two delimiters. */
export const tagNamePattern = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/**
 * Tags of a template: delimiter, a name (a letter or `_`, then letters, digits, `_`, `.`, `-`; no blanks), delimiter, on one line.
 *
 * `;` also ends statements in many languages, so a name that is no parameter counts as a tag (one without a value) only where it stands apart:
 * `for(i;j;k)` and `a;b;c` hold none, since a letter, digit, `_`, `)` or `]` right before the first `;`, or a letter, digit or `_`
 * right after the second, makes it code. The name of a parameter is a tag anywhere: `out_;STEP;.dat`. Another delimiter is taken
 * literally, without that rule.
 *
 * Works on bytes: a template of any encoding passes through.
 */
export function findTags(template: Uint8Array, delimiter: string, parameters: ReadonlySet<string>): TemplateTag[] {
  const text = Buffer.from(template.buffer, template.byteOffset, template.byteLength).toString('latin1');
  const mark = Buffer.from(delimiter, 'utf8').toString('latin1');
  const tags: TemplateTag[] = [];
  let line = 1;
  let lineStart = 0;
  let from = text.indexOf(mark);
  while (from !== -1) {
    const to = text.indexOf(mark, from + mark.length);
    if (to === -1) break;
    const name = text.slice(from + mark.length, to);
    const end = to + mark.length;
    if (!tagNamePattern.test(name) || !(parameters.has(name) || delimiter !== ';' || standsApart(text, from, end))) {
      from = to;
      continue;
    }
    for (let i = text.indexOf('\n', lineStart); i !== -1 && i < from; i = text.indexOf('\n', lineStart)) {
      line++;
      lineStart = i + 1;
    }
    tags.push({ name, start: from, end, line, column: from - lineStart + 1 });
    from = text.indexOf(mark, end);
  }
  return tags;
}

function standsApart(text: string, start: number, end: number): boolean {
  return !/[A-Za-z0-9_)\]]/.test(text[start - 1] ?? '') && !/[A-Za-z0-9_]/.test(text[end] ?? '');
}
