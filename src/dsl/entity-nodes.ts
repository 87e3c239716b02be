import {
  type AddedModelDeclaration,
  type AfterDeclaration,
  type AttachDeclaration,
  type CommandDeclaration,
  Event,
  type ParamValue,
  parseMemoryMiB,
  type RequiresDeclaration,
  type SetupDeclaration,
  type SharesNodesDeclaration,
} from '../ir/index.js';
import {
  type Arguments,
  defined,
  directiveText,
  memoryHint,
  nonEmptyText,
  plainText,
  positive,
  show,
} from './arguments.js';
import type { AddModelOptions, AfterKeyOptions, AttachOptions, RequiresOptions, SetupOptions } from './options.js';
import { paramValues } from './params-node.js';
import { warnOfSecretsInShell } from './secrets.js';

/*
 * One function a call: its arguments, checked, as a node of the declaration.
 */

export function attachNode(checked: Arguments, given: AttachOptions): AttachDeclaration {
  const options = checked.options(given, ['copy', 'symlink', 'configure', 'tag']);
  const tag = checked.optional(plainText, options.tag, 'tag') ?? ';';
  if (tag === '' || /[A-Za-z0-9_.\s-]/.test(tag)) {
    const hint = 'use one or more signs that are no letters, digits, blanks, "_", "." or "-"';
    checked.problems.error('TMPL1003', `.attach(): ${show(tag)} cannot delimit tags`, checked.at, hint);
  }
  return {
    kind: 'attach',
    at: checked.at,
    copy: checked.list(options.copy, 'copy'),
    symlink: checked.list(options.symlink, 'symlink'),
    configure: checked.list(options.configure, 'configure'),
    tag,
  };
}

export function afterNode(
  checked: Arguments,
  name: string,
  what: Event | AfterKeyOptions | undefined,
): AfterDeclaration | undefined {
  const entity = checked.take(nonEmptyText, name, 'the name');
  if (typeof what === 'object') {
    const options = checked.options(what, ['key', 'orchestrator']);
    const key = checked.take(nonEmptyText, options.key, 'key');
    const orchestrator = checked.optional(nonEmptyText, options.orchestrator, 'orchestrator');
    if (entity === undefined || key === undefined) return undefined;
    return defined({ kind: 'after-key', at: checked.at, name: entity, key, orchestrator });
  }
  const event = checked.choice(Event.options, what, 'the event') ?? 'completed';
  return entity === undefined ? undefined : { kind: 'after', at: checked.at, name: entity, event };
}

export function requiresNode(checked: Arguments, given: RequiresOptions): RequiresDeclaration {
  const options = checked.options(given, ['constraint', 'gpusPerNode', 'memory', 'queue']);
  return defined({
    kind: 'requires',
    at: checked.at,
    constraint: checked.optional(directiveText, options.constraint, 'constraint'),
    gpusPerNode: checked.optional(positive, options.gpusPerNode, 'gpusPerNode'),
    memoryMiB: checked.parse('DSL1006', options.memory, parseMemoryMiB, memoryHint),
    queue: checked.optional(directiveText, options.queue, 'queue'),
  });
}

export function setupNode(checked: Arguments, given: SetupOptions): SetupDeclaration {
  const options = checked.options(given, ['modules', 'commands']);
  const modules = checked.list(options.modules, 'modules', nonEmptyText);
  const commands = checked.list(options.commands, 'commands');
  warnOfSecretsInShell(checked, commands);
  return { kind: 'setup', at: checked.at, modules, commands };
}

export function sharesNodesNode(checked: Arguments, name: string): SharesNodesDeclaration | undefined {
  const entity = checked.take(nonEmptyText, name, 'the name');
  return entity === undefined ? undefined : { kind: 'shares-nodes', at: checked.at, name: entity };
}

export function addedModelNode(
  checked: Arguments,
  name: string,
  command: CommandDeclaration,
  given: AddModelOptions | undefined,
): AddedModelDeclaration {
  const options = checked.options(given, ['params']);
  const params = options.params === undefined ? {} : paramValues(checked, 'model', options.params);
  return { kind: 'added-model', at: checked.at, name, command, params: params as Record<string, ParamValue> };
}
