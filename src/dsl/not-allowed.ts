declare const explain: unique symbol;

/** No value has this type. Its text is what the editor shows when a call is not allowed. */
export interface NotAllowed<Text extends string> {
  readonly [explain]: Text;
}

/**
 * `Name`, unless the experiment has it already. Names that are known as `string` only, as in loops over an `experiment<string>()`, are left to the
 * compiler's own check.
 */
export type Fresh<Name extends string, Names extends string> = string extends Names
  ? Name
  : Name extends Names
    ? NotAllowed<`the experiment already has an entity named '${Name}'`>
    : Name;
