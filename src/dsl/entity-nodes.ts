import {
  type AddedModelDeclaration,
  type AfterDeclaration,
  type AttachDeclaration,
  authoredCommand,
  type CommandDeclaration,
  Event,
  type ParamValue,
  type RequiresDeclaration,
  type SetupDeclaration,
  type SharesNodesDeclaration,
} from '../ir/index.js';
import {
  addModelOptions,
  afterKeyOptions,
  attachOptions,
  namePattern,
  nonEmptyText,
  requiresOptions,
  setupOptions,
} from '../ir/options/index.js';
import { type Arguments, show } from './arguments.js';
import type { Command } from './command.js';
import { paramValues } from './params-node.js';
import { warnOfSecretsInShell } from './secrets.js';

/*
 * For each call a function that checks its arguments and returns a node of the declaration.
 */

export function attachNode(checked: Arguments, given: unknown): AttachDeclaration {
  const node = checked.read(attachOptions, checked.options(attachOptions, given));
  if (node.tag === '' || /[A-Za-z0-9_.\s-]/.test(node.tag)) {
    const hint = 'use one or more signs that are no letters, digits, blanks, "_", "." or "-"';
    checked.problems.error('TMPL1003', `.attach(): ${show(node.tag)} cannot delimit tags`, checked.at, hint);
  }
  return { kind: 'attach', at: checked.at, ...node };
}

export function afterNode(checked: Arguments, name: unknown, what: unknown): AfterDeclaration | undefined {
  const entity = checked.take(nonEmptyText, name, 'the name');
  if (typeof what === 'object') {
    const { key, ...where } = checked.read(afterKeyOptions, checked.options(afterKeyOptions, what));
    if (entity === undefined || key === undefined) return undefined;
    return { kind: 'after-key', at: checked.at, name: entity, key, ...where };
  }
  const event = checked.choice(Event.options, what, 'the event') ?? 'completed';
  return entity === undefined ? undefined : { kind: 'after', at: checked.at, name: entity, event };
}

export function requiresNode(checked: Arguments, given: unknown): RequiresDeclaration {
  return {
    kind: 'requires',
    at: checked.at,
    ...checked.read(requiresOptions, checked.options(requiresOptions, given)),
  };
}

export function setupNode(checked: Arguments, given: unknown): SetupDeclaration {
  const node = checked.read(setupOptions, checked.options(setupOptions, given));
  warnOfSecretsInShell(checked, node.commands);
  return { kind: 'setup', at: checked.at, ...node };
}

export function sharesNodesNode(checked: Arguments, name: unknown): SharesNodesDeclaration | undefined {
  const entity = checked.take(nonEmptyText, name, 'the name');
  return entity === undefined ? undefined : { kind: 'shares-nodes', at: checked.at, name: entity };
}

export function addedModelNode(
  checked: Arguments,
  name: string,
  command: CommandDeclaration,
  given: unknown,
): AddedModelDeclaration {
  const options = checked.options(addModelOptions, given);
  const params = options['params'] === undefined ? {} : paramValues(checked, 'model', options['params']);
  return { kind: 'added-model', at: checked.at, name, command, params: params as Record<string, ParamValue> };
}

/** The record of a command, with its problems. */
export function commandDeclaration(checked: Arguments, command: Command): CommandDeclaration | undefined {
  const authored = command?.[authoredCommand];
  if (authored === undefined) {
    const message = `${checked.call}: ${show(command)} is no command`;
    checked.problems.error('DSL1001', message, checked.at, "write command('./program', 'argument')");
    return undefined;
  }
  checked.problems.add(authored.problems);
  return authored.declaration;
}

/** The name of an entity; `unknown`, and a problem, where it cannot be one. */
export function checkName(checked: Arguments, name: unknown): string {
  if (typeof name === 'string' && namePattern.test(name)) return name;
  checked.problems.error(
    'DSL1002',
    `${checked.call}: ${show(name)} cannot be a name`,
    checked.at,
    'names start with a letter, hold letters, digits, "_", "." and "-", and have at most 63 characters',
  );
  return typeof name === 'string' ? name : 'unknown';
}
