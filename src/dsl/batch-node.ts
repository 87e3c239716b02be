import * as z from 'zod';
import { type BatchDeclaration, parseMemoryMiB, parseWalltime, walltimeHint } from '../ir/index.js';
import { type Arguments, defined, directiveText, memoryHint, positive, show, texts } from './arguments.js';
import type { BatchOptions, DirectiveOptions, MailOptions } from './options.js';
import { warnOfSecretsInShell } from './secrets.js';

const mailEvents = ['begin', 'end', 'fail'] as const;
const address = directiveText.refine((text) => !/\s/.test(text), 'an address has no blanks');
const flag = z
  .string()
  .regex(/^[^\s\p{Cc}]+( [^\s\p{Cc}]+)?$/u, "it is a flag, or a flag and its resource: '-q', '-l walltime'");
const directiveValue = z.union([directiveText, z.literal(''), z.number()], 'a text or a number is needed');

/** What `.batch()` was given. */
export function batchNode(checked: Arguments, given: BatchOptions): BatchDeclaration {
  const options = checked.options(given, [
    'nodes',
    'walltime',
    'account',
    'queue',
    'qos',
    'reservation',
    'constraint',
    'exclusive',
    'gpusPerNode',
    'memory',
    'modules',
    'preamble',
    'mail',
    'mode',
    'maxConcurrent',
    'directives',
  ]);
  const preamble = checked.optional(texts, options.preamble, 'preamble');
  warnOfSecretsInShell(checked, preamble ?? []);
  return defined({
    kind: 'batch',
    at: checked.at,
    nodes: checked.optional(positive, options.nodes, 'nodes'),
    walltimeSeconds: checked.parse('DSL1005', options.walltime, parseWalltime, walltimeHint),
    account: checked.optional(directiveText, options.account, 'account'),
    queue: checked.optional(directiveText, options.queue, 'queue'),
    qos: checked.optional(directiveText, options.qos, 'qos'),
    reservation: checked.optional(directiveText, options.reservation, 'reservation'),
    constraint: checked.optional(directiveText, options.constraint, 'constraint'),
    exclusive: checked.optional(z.boolean(), options.exclusive, 'exclusive'),
    gpusPerNode: checked.optional(positive, options.gpusPerNode, 'gpusPerNode'),
    memoryMiB: checked.parse('DSL1006', options.memory, parseMemoryMiB, memoryHint),
    modules: checked.optional(texts, options.modules, 'modules'),
    preamble,
    mail: mail(checked, options.mail),
    mode: checked.choice(['packed', 'array', 'separate'], options.mode, 'mode'),
    maxConcurrent: checked.optional(positive, options.maxConcurrent, 'maxConcurrent'),
    directives: directives(checked, options.directives),
  });
}

function mail(checked: Arguments, given: string | MailOptions | undefined): BatchDeclaration['mail'] {
  if (given === undefined) return undefined;
  const options = typeof given === 'string' ? { to: given } : checked.options(given, ['to', 'events'], 'mail');
  const to = checked.take(address, options.to, "mail's address");
  const chosen = 'events' in options ? options.events : undefined;
  const events = checked.optional(z.array(z.unknown()).min(1, 'it is empty'), chosen, "mail's events");
  for (const event of events ?? []) checked.choice(mailEvents, event, "an entry of mail's events");
  const known = events === undefined ? ['end', 'fail'] : mailEvents.filter((event) => events.includes(event));
  return to === undefined || known.length === 0 ? undefined : { to, events: known as (typeof mailEvents)[number][] };
}

function directives(checked: Arguments, given: DirectiveOptions | undefined): BatchDeclaration['directives'] {
  if (given === undefined) return undefined;
  const options = checked.options(given, ['drop', 'set'], 'directives');
  const set: [string, string | number][] = [];
  const pairs = checked.optional(z.record(z.string(), z.unknown()), options.set, "directives' set") ?? {};
  for (const [name, value] of Object.entries(pairs)) {
    if (checked.take(flag, name, 'a flag to set') === undefined) continue;
    const text = checked.take(directiveValue, value, `directive ${show(name)}`);
    if (text !== undefined) set.push([name, text]);
  }
  return { drop: checked.list(options.drop, "directives' drop", flag), set: Object.fromEntries(set) };
}

/** Refuses, for a store's job, the options that divide a job by members. */
export function refuseMembersOptions(checked: Arguments, { mode, maxConcurrent }: BatchDeclaration): void {
  for (const [name, value] of Object.entries({ mode, maxConcurrent })) {
    if (value === undefined) continue;
    const message = `${checked.call}: ${name} is about an ensemble's members, and an orchestrator has none`;
    checked.problems.error('DSL1001', message, checked.at, `leave out ${name}`);
  }
}
