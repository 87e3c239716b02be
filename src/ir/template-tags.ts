/** A tag of a config template: bytes `start` to `end` (exclusive, delimiters included), 1-based line and column of its start. */
export interface TemplateTag {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly column: number;
}

/** A name that counts as a tag though no parameter has it. */
const tagNamePattern = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/**
 * Tags of a template: delimiter, name, delimiter. The name of a parameter is a tag anywhere, whatever it is made of: `out_;STEP;.dat`,
 * `;2D;`, `;Δx;`.
 *
 * Another name counts as a tag (one without a value) if it is a letter or `_`, then letters, digits, `_`, `.`, `-`. `;` also ends
 * statements in many languages, so between two of these it has to stand apart: `for(i;j;k)` and `a;b;c` hold none, since a letter, digit,
 * `_`, `)` or `]` right before the first `;`, or a letter, digit or `_` right after the second, makes it code. Another delimiter is
 * taken literally, without that rule.
 *
 * Works on bytes: a template of any encoding passes through. Names are looked for in UTF-8 and, where it has their letters, in Latin-1.
 */
export function findTags(template: Uint8Array, delimiter: string, parameters: ReadonlySet<string>): TemplateTag[] {
  const text = Buffer.from(template.buffer, template.byteOffset, template.byteLength).toString('latin1');
  const mark = Buffer.from(delimiter, 'utf8').toString('latin1');
  const names = namesInBytes(parameters);
  const longestFirst = [...names.keys()].sort((a, b) => b.length - a.length);
  // These hold a delimiter themselves, so that the next one is not their end.
  const spanning = longestFirst.filter((written) => written.includes(mark));
  const tags: TemplateTag[] = [];
  const lines = new LineCounter(text);
  let from = text.indexOf(mark);
  while (from !== -1) {
    const start = from + mark.length;
    const span = spanning.find((written) => text.startsWith(written + mark, start));
    const to = span === undefined ? text.indexOf(mark, start) : start + span.length;
    if (to === -1) break;
    const written = text.slice(start, to);
    const end = to + mark.length;
    const name = names.get(written) ?? (isTag(written, delimiter, text, from, end) ? written : undefined);
    if (name === undefined) {
      from = to;
      continue;
    }
    tags.push({ name, start: from, end, ...lines.placeOf(from) });
    from = text.indexOf(mark, end);
  }
  return tags;
}

/** Names of parameters by the bytes that a template may have them in, a character a byte. */
function namesInBytes(parameters: ReadonlySet<string>): Map<string, string> {
  const names = new Map<string, string>();
  // A name with letters beyond Latin-1 never equals bytes, so it does no harm as it is.
  for (const name of parameters) names.set(name, name);
  for (const name of parameters) names.set(Buffer.from(name, 'utf8').toString('latin1'), name);
  return names;
}

function isTag(written: string, delimiter: string, text: string, start: number, end: number): boolean {
  return tagNamePattern.test(written) && (delimiter !== ';' || standsApart(text, start, end));
}

/** Lines and columns of places in a text that are asked for in their order: each byte is looked at once. */
class LineCounter {
  #line = 1;
  #start = 0;
  #end: number;

  constructor(readonly text: string) {
    this.#end = text.indexOf('\n');
  }

  placeOf(at: number): { readonly line: number; readonly column: number } {
    while (this.#end !== -1 && this.#end < at) {
      this.#line++;
      this.#start = this.#end + 1;
      this.#end = this.text.indexOf('\n', this.#start);
    }
    return { line: this.#line, column: at - this.#start + 1 };
  }
}

function standsApart(text: string, start: number, end: number): boolean {
  return !/[A-Za-z0-9_)\]]/.test(text[start - 1] ?? '') && !/[A-Za-z0-9_]/.test(text[end] ?? '');
}
