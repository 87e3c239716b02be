import * as z from 'zod';
import { positive, type Quantity } from './values.js';

/** Check of an option's value when it is called. */
export type Check =
  /** A value of one type. */
  | { readonly kind: 'value'; readonly type: z.ZodType }
  /** One of several texts. */
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  /** A text or a list of texts. */
  | { readonly kind: 'list'; readonly text: z.ZodType<string> }
  /** A text that stands for a number. */
  | { readonly kind: 'quantity'; readonly quantity: Quantity }
  /** The call has a check of its own. */
  | { readonly kind: 'own' };

/** `optional`: absent unless it is given; `default`: has a value that is recorded instead. */
type Presence = 'optional' | 'default' | 'required';

interface Facts<Recorded extends z.ZodType> {
  readonly check: Check;
  readonly recorded: Recorded;
  /** Key in the declaration, if it is not the option's name. */
  readonly key?: string;
  /** The words for it in problems, if they are not the option's name. */
  readonly label?: string;
  readonly presence: Presence;
  readonly fallback?: unknown;
}

/** An option of a call: how its value is checked, and the type and the key of what a declaration records of it. */
export class Option<Given, Recorded extends z.ZodType, Key extends string = never, Is extends Presence = 'optional'> {
  /** Types of the value that users give, of the key and of the presence; properties without a value. */
  declare readonly given: Given;
  declare readonly key: Key;
  declare readonly presence: Is;

  constructor(readonly facts: Facts<Recorded>) {}

  /** The same option with another type in the editor; what is checked stays. */
  typed<Other>(): Option<Other, Recorded, Key, Is> {
    return new Option(this.facts);
  }

  /** The same option, recorded under another key. */
  as<Other extends string>(key: Other): Option<Given, Recorded, Other, Is> {
    return new Option({ ...this.facts, key });
  }

  /** The same option with other words for it in problems. */
  labelled(label: string): Option<Given, Recorded, Key, Is> {
    return new Option({ ...this.facts, label });
  }

  /** The same option, which users have to give. */
  required(): Option<Given, Recorded, Key, 'required'> {
    return new Option({ ...this.facts, presence: 'required' });
  }

  /** The same option; `fallback` is recorded where it is not given. */
  or(fallback: z.output<Recorded>): Option<Given, Recorded, Key, 'default'> {
    return new Option({ ...this.facts, presence: 'default', fallback });
  }
}

/** The options of a call by name. The comment on each is its documentation, in the editor and in docs/options.md. */
export type OptionTable = Readonly<Record<string, Option<unknown, z.ZodType, string, Presence>>>;

/** A value as users may give it, with read-only lists. */
type Unwritten<T> = T extends readonly (infer Item)[] ? readonly Item[] : T;

/** An option that takes a value of one type. */
export function value<Type extends z.ZodType>(type: Type): Option<Unwritten<z.output<Type>>, Type> {
  return new Option({ check: { kind: 'value', type }, recorded: type, presence: 'optional' });
}

/** An option that takes one of several texts; who gives another is told the nearest. */
export function choice<Type extends z.ZodEnum>(type: Type): Option<z.output<Type>, Type> {
  const choices = type.options.map(String);
  return new Option({ check: { kind: 'choice', choices }, recorded: type, presence: 'optional' });
}

/** An option that takes a text or a list of texts, recorded as a list. */
export function list<Text extends z.ZodType<string>>(text: Text): Option<string | readonly string[], z.ZodArray<Text>> {
  return new Option({ check: { kind: 'list', text }, recorded: z.array(text), presence: 'optional' });
}

/** An option that takes a number with its unit, recorded as the number. */
export function quantity(of: Quantity): Option<string, typeof positive> {
  return new Option({ check: { kind: 'quantity', quantity: of }, recorded: positive, presence: 'optional' });
}

/** An option that its call checks, recorded as `type`. */
export function own<Type extends z.ZodType>(type: Type): Option<Unwritten<z.output<Type>>, Type> {
  return new Option({ check: { kind: 'own' }, recorded: type, presence: 'optional' });
}

type NamesThatAre<Is extends Presence, Table extends OptionTable> = {
  [Name in keyof Table]: Table[Name]['presence'] extends Is ? Name : never;
}[keyof Table];

/** Options that may be absent. A mapped type with `as` would lose the comments that the editor shows. */
type Optional<Table extends OptionTable, Names extends keyof Table> = { [Name in Names]?: Table[Name]['given'] };
type Needed<Table extends OptionTable, Names extends keyof Table> = { [Name in Names]: Table[Name]['given'] };

/** The type of a table's options as users give them. */
export type OptionsOf<Table extends OptionTable> = Optional<Table, NamesThatAre<'optional' | 'default', Table>> &
  Needed<Table, NamesThatAre<'required', Table>>;

/** A second base of the interfaces of options: TypeScript's messages would name an interface without own members after its only base. */
// biome-ignore lint/suspicious/noEmptyInterface: it has no members on purpose
export interface Options {}

type KeyOf<Table extends OptionTable, Name extends keyof Table> = [Table[Name]['key']] extends [never]
  ? Name
  : Table[Name]['key'];

type TypeOf<Table extends OptionTable, Name extends keyof Table> = Table[Name]['facts']['recorded'];

/** The shape of what a declaration records of a table's options. */
export type ShapeOf<Table extends OptionTable> = {
  [Name in keyof Table as KeyOf<Table, Name>]: Table[Name]['presence'] extends 'optional'
    ? z.ZodOptional<TypeOf<Table, Name>>
    : TypeOf<Table, Name>;
};

/** The record of options that have been checked: those with a fallback are there, others if they were given and valid. */
export type RecordedOf<Table extends OptionTable> = {
  [Name in NamesThatAre<'default', Table> as KeyOf<Table, Name>]: z.output<TypeOf<Table, Name>>;
} & {
  [Name in NamesThatAre<'optional' | 'required', Table> as KeyOf<Table, Name>]?: z.output<TypeOf<Table, Name>>;
};

/** {@link ShapeOf} as zod takes it. */
export function shapeOf<Table extends OptionTable>(table: Table): ShapeOf<Table> {
  const entries = Object.entries(table).map(([name, { facts }]) => [
    facts.key ?? name,
    facts.presence === 'optional' ? facts.recorded.optional() : facts.recorded,
  ]);
  return Object.fromEntries(entries) as ShapeOf<Table>;
}
