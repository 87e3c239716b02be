import { WorkflowError } from '../../diagnostics/index.js';
import { findTags, formatValue, type Params } from '../../ir/index.js';

/** A config template, read and taken apart once, rendered for each member. */
export class ConfigTemplate {
  readonly #name: string;
  readonly #pieces: readonly (Uint8Array | { readonly tag: string })[];

  /** `name` is the template's path as it shows in errors; `parameters` are those of the entity. */
  constructor(name: string, template: Uint8Array, delimiter: string, parameters: ReadonlySet<string>) {
    const pieces: (Uint8Array | { readonly tag: string })[] = [];
    let from = 0;
    for (const tag of findTags(template, delimiter, parameters)) {
      pieces.push(template.subarray(from, tag.start), { tag: tag.name });
      from = tag.end;
    }
    pieces.push(template.subarray(from));
    this.#name = name;
    this.#pieces = pieces;
  }

  /** The template's bytes with each tag replaced by its parameter's value, as UTF-8; nothing in a value has a meaning. */
  render(params: Params): Uint8Array {
    return Buffer.concat(
      this.#pieces.map((piece) => (piece instanceof Uint8Array ? piece : Buffer.from(this.#value(piece.tag, params)))),
    );
  }

  #value(tag: string, params: Params): string {
    const value = params[tag];
    if (value !== undefined) return formatValue(value);
    throw new WorkflowError({
      code: 'TMPL1001',
      message: `${this.#name} has the tag '${tag}', for which there is no parameter`,
      hint: 'the template was changed after compile: compile again',
    });
  }
}
