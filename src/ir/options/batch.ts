import * as z from 'zod';
import { directiveText } from '../directive-text.js';
import { DirectiveEdits } from '../site.js';
import { choice, list, type Options, type OptionsOf, own, quantity, shapeOf, value } from './option.js';
import { memory, positive, texts, walltime } from './values.js';

export const BatchMode = z.enum(['packed', 'array', 'separate']);
export const MailEvent = z.enum(['begin', 'end', 'fail']);

const mailAddress = directiveText.refine((text) => !/\s/.test(text), 'an address has no blanks');
/** A flag of a scheduler, or one with its resource. */
export const flag = z
  .string()
  .regex(/^[^\s\p{Cc}]+( [^\s\p{Cc}]+)?$/u, "it is a flag, or a flag and its resource: '-q', '-l walltime'");

export const mailOptions = {
  to: value(mailAddress).labelled("mail's address").required(),
  /** @default ['end', 'fail'] */
  events: own(z.array(MailEvent).min(1)).or(['end', 'fail']),
};

export interface MailOptions extends OptionsOf<typeof mailOptions>, Options {}

export const directiveOptions = {
  /** Flags never to write: `['--mem']`; a flag of many resources with the one that is meant: `['-l walltime']`. */
  drop: list(flag).labelled("directives' drop").or([]),
  /** Flags to write with this value, instead of ours if there is one: `{ '--comment': 'night run', '--spread-job': '' }`. `''`: the flag alone. */
  set: own(DirectiveEdits.shape.set).typed<Readonly<Record<string, string | number>>>().or({}),
};

export interface DirectiveOptions extends OptionsOf<typeof directiveOptions>, Options {}

export const batchOptions = {
  /** @default computed from what the job runs */
  nodes: value(positive),
  /** `'02:00:00'`, `'1-12:00:00'`, `'PT2H'`. @default computed if every command has a walltime, else the site's */
  walltime: quantity(walltime).as('walltimeSeconds'),
  account: value(directiveText),
  /** Queue or partition. */
  queue: value(directiveText),
  qos: value(directiveText),
  reservation: value(directiveText),
  constraint: value(directiveText),
  /** Whole nodes. */
  exclusive: value(z.boolean()),
  gpusPerNode: value(positive),
  /** Memory on each node: `'64G'`. */
  memory: quantity(memory).as('memoryMiB'),
  /** Environment modules to load, after the site's. */
  modules: value(texts),
  /** Lines of shell that run before anything else of the job. */
  preamble: value(texts),
  /** Whom the scheduler writes to: an address means at the job's end and at its failure. */
  mail: own(z.strictObject(shapeOf(mailOptions))).typed<string | MailOptions>(),
  /** How an ensemble meets the scheduler: its members as steps of one job, as elements of a job array, or each as a job. @default 'packed' */
  mode: choice(BatchMode),
  /** Members that run at a time. @default as many as fit */
  maxConcurrent: value(positive),
  /** Edits of the directives that the script starts with, made after the site's. */
  directives: own(DirectiveEdits).typed<DirectiveOptions>(),
};

/** What a job asks of the scheduler. */
export interface BatchOptions extends OptionsOf<typeof batchOptions>, Options {}
