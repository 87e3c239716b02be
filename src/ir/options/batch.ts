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
  /** Address, or user, that the mail is for. */
  to: value(mailAddress).labelled("mail's address").required(),
  /** Events of the job that a mail is sent at. @default ['end', 'fail'] */
  events: own(z.array(MailEvent).min(1)).or(['end', 'fail']),
};

/** Mail from the scheduler. */
export interface MailOptions extends OptionsOf<typeof mailOptions>, Options {}

export const directiveOptions = {
  /** Flags never to write: `['--mem']`; a flag of many resources with the one that is meant: `['-l walltime']`. */
  drop: list(flag).labelled("directives' drop").or([]),
  /** Flags to write with this value, instead of ours if there is one: `{ '--comment': 'night run', '--spread-job': '' }`. `''`: the flag alone. */
  set: own(DirectiveEdits.shape.set).typed<Readonly<Record<string, string | number>>>().or({}),
};

/** Edits of the directives that a script starts with. */
export interface DirectiveOptions extends OptionsOf<typeof directiveOptions>, Options {}

export const batchOptions = {
  /** Nodes of the job. @default computed from what it runs */
  nodes: value(positive),
  /** Time that the job may take: `'02:00:00'`, `'1-12:00:00'` or `'PT2H'`. @default computed if every command has a walltime, else the site's */
  walltime: quantity(walltime).as('walltimeSeconds'),
  /** Account that the job is charged to. @default the site's */
  account: value(directiveText),
  /** Queue or partition. @default the site's */
  queue: value(directiveText),
  /** Quality of service. @default the site's */
  qos: value(directiveText),
  /** Reservation that it runs in. */
  reservation: value(directiveText),
  /** Features that its nodes must have, in the scheduler's own words. @default the site's */
  constraint: value(directiveText),
  /** True for whole nodes, which no other job shares. */
  exclusive: value(z.boolean()),
  /** GPUs on each node. @default computed from what it runs */
  gpusPerNode: value(positive),
  /** Memory on each node: `'64G'`. */
  memory: quantity(memory).as('memoryMiB'),
  /** Environment modules to load, after the site's. */
  modules: value(texts),
  /** Lines of shell that run before anything else of the job. */
  preamble: value(texts),
  /** Address that the scheduler writes to at the job's end and at its failure, or who and when. */
  mail: own(z.strictObject(shapeOf(mailOptions))).typed<string | MailOptions>(),
  /** Members of an ensemble as steps of one job (`packed`), as elements of a job array, or each as a job (`separate`). @default 'packed' */
  mode: choice(BatchMode),
  /** Most members that run at a time. @default as many as fit */
  maxConcurrent: value(positive),
  /** Edits of the directives that the script starts with, after the site's. */
  directives: own(DirectiveEdits).typed<DirectiveOptions>(),
};

/** Demands of a job on the scheduler. */
export interface BatchOptions extends OptionsOf<typeof batchOptions>, Options {}
