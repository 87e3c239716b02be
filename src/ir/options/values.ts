import * as z from 'zod';
import { parseMemoryMiB, parseWalltime, walltimeHint } from '../units.js';

/*
 * Types of single values, with the texts of their problems.
 */

/** A text without NUL, which neither a file name nor an argument can hold. */
export const plainText = z.string().refine((text) => !text.includes('\0'), 'it holds a NUL character');
export const nonEmptyText = plainText.refine((text) => text !== '', 'it is empty');
export const texts = z.array(plainText);
export const positive = z.int('a whole number is needed').positive('it has to be at least 1');
export const natural = z.int('a whole number is needed').min(0, 'it cannot be negative');
export const port = z.int().min(1, 'ports start at 1').max(65535, 'ports end at 65535');

/** Names end in paths, keys, environment variables and job names: the subset that all of them take. */
export const namePattern = /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/;

export const hostNames = z
  .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'each entry is the name of one host'))
  .min(1, 'at least one host is needed');

/** A number that users write with its unit. */
export interface Quantity {
  readonly code: 'DSL1005' | 'DSL1006';
  /** The noun of its problems: `'500' is no walltime`. */
  readonly noun: string;
  /** The number, or undefined if the text is none. */
  readonly parse: (text: string) => number | undefined;
  readonly hint: string;
}

export const walltime: Quantity = {
  code: 'DSL1005',
  noun: 'walltime',
  parse: parseWalltime,
  hint: walltimeHint,
};

export const memory: Quantity = {
  code: 'DSL1006',
  noun: 'amount of memory',
  parse: parseMemoryMiB,
  hint: "write a number and its unit: '512M', '8G', '1.5T'",
};
