import * as z from 'zod';
import { escapeControls, nearest, Problems, type SourceLocation, suggestion } from '../diagnostics/index.js';
import { type Check, type OptionTable, plainText, type Quantity, type RecordedOf } from '../ir/options/index.js';

/** A check of the arguments of one call of a builder. It gathers their problems. */
export class Arguments {
  readonly problems = new Problems();

  constructor(
    /** The call as a person would name it: `.colocate()`. */
    readonly call: string,
    readonly at: SourceLocation | undefined,
  ) {}

  /** `value` if it is of `schema`'s kind, else `undefined` and a problem that shows the value. */
  take<T>(schema: z.ZodType<T>, value: unknown, what: string): T | undefined {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    this.problems.error('DSL1001', `${this.call}: ${what} cannot be ${show(value)}: ${explain(result.error)}`, this.at);
    return undefined;
  }

  /** Like {@link take}, and `undefined` without a problem if there is no value. */
  optional<T>(schema: z.ZodType<T>, value: unknown, what: string): T | undefined {
    return value === undefined ? undefined : this.take(schema, value, what);
  }

  /** One of `choices`, if it is one, else a problem that names the nearest. An absent value is fine. */
  choice<const T extends string>(choices: readonly T[], value: unknown, what: string): T | undefined {
    if (value === undefined || (choices as readonly unknown[]).includes(value)) return value as T | undefined;
    const message = `${this.call}: ${what} cannot be ${show(value)}: it is one of ${choices.map(show).join(', ')}`;
    const near = typeof value === 'string' ? nearest(value, choices) : undefined;
    this.problems.error('DSL1001', message, this.at, near === undefined ? undefined : `did you mean '${near}'?`);
    return undefined;
  }

  /** A text or a list of texts, as a list. An absent value is an empty one. */
  list(value: unknown, what: string, text: z.ZodType<string> = plainText): string[] {
    return [
      this.optional(z.union([text, z.array(text)], 'a text or a list of texts is needed'), value, what) ?? [],
    ].flat();
  }

  /** A parsed quantity (walltime, memory), or a problem with a hint. */
  quantity({ code, noun, parse, hint }: Quantity, value: unknown): number | undefined {
    if (value === undefined) return undefined;
    const parsed = typeof value === 'string' ? parse(value) : undefined;
    if (parsed === undefined) this.problems.error(code, `${this.call}: ${show(value)} is no ${noun}`, this.at, hint);
    return parsed;
  }

  /** The options object, with a problem for every key that the table does not have. `inside` names an option that is itself an object. */
  options(table: OptionTable, given: unknown, inside?: string): Readonly<Record<string, unknown>> {
    if (given === undefined) return {};
    const what = inside === undefined ? this.call : `${this.call}: ${inside}`;
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      this.problems.error('DSL1001', `${what} takes an object of options, not ${show(given)}`, this.at);
      return {};
    }
    for (const key of Object.keys(given)) {
      if (Object.hasOwn(table, key)) continue;
      this.problems.error('DSL1007', `${what} has no option '${key}'`, this.at, suggestion(key, Object.keys(table)));
    }
    return given as Readonly<Record<string, unknown>>;
  }

  /** Valid options of a table, and the fallbacks of others. For an option that the call checks itself it returns the fallback only. */
  read<Table extends OptionTable>(table: Table, options: Readonly<Record<string, unknown>>): RecordedOf<Table> {
    const read: Record<string, unknown> = {};
    for (const [name, { facts }] of Object.entries(table)) {
      const { check, label = name, key = name, fallback } = facts;
      const isRead = check.kind !== 'own' && (facts.presence === 'required' || options[name] !== undefined);
      const recorded = (isRead ? this.#checked(check, options[name], label) : undefined) ?? fallback;
      if (recorded !== undefined) read[key] = recorded;
    }
    return read as RecordedOf<Table>;
  }

  #checked(check: Check, value: unknown, what: string): unknown {
    switch (check.kind) {
      case 'value':
        return this.take(check.type, value, what);
      case 'choice':
        return this.choice(check.choices, value, what);
      case 'list':
        return this.list(value, what, check.text);
      case 'quantity':
        return this.quantity(check.quantity, value);
      case 'own':
        return undefined;
      default:
        return check satisfies never;
    }
  }
}

/** Digits that a decimal number of any size keeps when it becomes a double and is written again (DBL_DIG). */
const keptDigits = 15;

/** False if a whole number beyond 2^53 has more digits than a double keeps: the text would show another number than the user wrote. */
export function isExact(value: unknown): boolean {
  if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)) return true;
  const [digits = ''] = value.toExponential().split('e');
  return digits.replace(/[-.]/g, '').length <= keptDigits;
}

/** The problem of a number that is not {@link isExact}. */
export const inexact = 'a number beyond 2^53 loses digits: write it as 12345678901234567890n or as a text';

/** A BigInt as a number, or as a text where no number has its value. */
export function plainNumber<T>(value: T): Exclude<T, bigint> | number | string {
  if (typeof value !== 'bigint') return value as Exclude<T, bigint>;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/** A value as it would stand in a workflow, cut to a readable length. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${escapeControls(value.length > 60 ? `${value.slice(0, 57)}...` : value)}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  if (Array.isArray(value)) return `[${value.slice(0, 4).map(show).join(', ')}${value.length > 4 ? ', ...' : ''}]`;
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object'
    ? `an object with ${Object.keys(value).join(', ') || 'nothing in it'}`
    : String(value);
}

function explain(error: z.ZodError): string {
  return z
    .prettifyError(error)
    .split('\n')
    .map((line) => line.replace(/^[✖\s]+/u, ''))
    .filter((line) => line !== '')
    .join(', ');
}

/** `value` and everything in it, frozen. Bytes stay as they are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
