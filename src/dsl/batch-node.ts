import * as z from 'zod';
import { type BatchDeclaration, defined, type EntityDeclaration } from '../ir/index.js';
import { batchOptions, directiveOptions, directiveText, flag, MailEvent, mailOptions } from '../ir/options/index.js';
import { type Arguments, show } from './arguments.js';
import { warnOfSecretsInShell } from './secrets.js';

const directiveValue = z.union([directiveText, z.literal(''), z.number()], 'a text or a number is needed');

/** A job's demands from the options of `.batch()`. */
export function batchNode(checked: Arguments, given: unknown): BatchDeclaration {
  const options = checked.options(batchOptions, given);
  const node = checked.read(batchOptions, options);
  warnOfSecretsInShell(checked, node.preamble ?? []);
  return defined({
    kind: 'batch',
    at: checked.at,
    ...node,
    mail: mail(checked, options['mail']),
    directives: directives(checked, options['directives']),
  });
}

function mail(checked: Arguments, given: unknown): BatchDeclaration['mail'] {
  if (given === undefined) return undefined;
  const options = typeof given === 'string' ? { to: given } : checked.options(mailOptions, given, 'mail');
  const { to, events: usual } = checked.read(mailOptions, options);
  const chosen = checked.optional(z.array(z.unknown()).min(1, 'it is empty'), options['events'], "mail's events");
  for (const event of chosen ?? []) checked.choice(MailEvent.options, event, "an entry of mail's events");
  const events = chosen === undefined ? usual : MailEvent.options.filter((event) => chosen.includes(event));
  return to === undefined || events.length === 0 ? undefined : { to, events };
}

function directives(checked: Arguments, given: unknown): BatchDeclaration['directives'] {
  if (given === undefined) return undefined;
  const options = checked.options(directiveOptions, given, 'directives');
  const set: [string, string | number][] = [];
  const pairs = checked.optional(z.record(z.string(), z.unknown()), options['set'], "directives' set") ?? {};
  for (const [name, value] of Object.entries(pairs)) {
    if (checked.take(flag, name, 'a flag to set') === undefined) continue;
    const text = checked.take(directiveValue, value, `directive ${show(name)}`);
    if (text !== undefined) set.push([name, text]);
  }
  return { ...checked.read(directiveOptions, options), set: Object.fromEntries(set) };
}

/** Refuses options about members for the job of an entity that has none. */
export function refuseMembersOptions(
  checked: Arguments,
  { mode, maxConcurrent }: BatchDeclaration,
  kind: EntityDeclaration['kind'],
): void {
  const whose = kind === 'ray-cluster' ? 'a Ray cluster' : 'an orchestrator';
  for (const [name, value] of Object.entries({ mode, maxConcurrent })) {
    if (value === undefined) continue;
    const message = `${checked.call}: ${name} is about an ensemble's members, and ${whose} has none`;
    checked.problems.error('DSL1001', message, checked.at, `leave out ${name}`);
  }
}
