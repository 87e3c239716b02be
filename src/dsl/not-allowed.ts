declare const explain: unique symbol;

/** A type without values. The editor shows its text where a call is not allowed. */
export interface NotAllowed<Text extends string> {
  readonly [explain]: Text;
}

/** `Names`; `never` where a type parameter stands for them, as in a function over experiments: then no name is known to be taken. */
export type KnownNames<Names extends string> = [unknown] extends [Names] ? never : Names;

/**
 * `Name`, unless the experiment has it already. Names that are known as `string` only (loops over an `experiment<string>()`) or stand for any (the
 * type parameter of a function over experiments) are left to the compiler's own check.
 */
export type Fresh<Name extends string, Names extends string> = string extends Names
  ? Name
  : [Name] extends [KnownNames<Names>]
    ? NotAllowed<`the experiment already has an entity named '${Name}'`>
    : Name;
