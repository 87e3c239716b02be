import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nearest, type SourceLocation, suggestion } from '../../diagnostics/index.js';
import { vocabulary } from '../../ir/index.js';

/** A name that a user's file takes from Simwright, and that is not there. */
export interface UnknownName {
  readonly message: string;
  readonly hint: string;
  /** Place of an import, which no stack tells. */
  readonly at?: SourceLocation;
}

/** The name that Simwright does not have and that an error of JavaScript's own is about; undefined for another error. */
export function unknownName(
  { message, stack = '' }: Pick<Error, 'message' | 'stack'>,
  file: string,
): UnknownName | undefined {
  const unlinked = /module 'simwright' does not provide an export named '(\w+)'/.exec(message)?.[1];
  const imported = unlinked ?? /\bimport_simwright\d*\.(\w+)\) is not a function/.exec(message)?.[1];
  if (imported !== undefined) {
    // The file that imports it stands above the stack, which is Node's own.
    const importer = /^(file:\/\/[^\n?]+?)(?:\?[^\n]*)?:\d+\n/.exec(stack)?.[1];
    const from = importer === undefined ? file : fileURLToPath(importer);
    const at = unlinked === undefined ? undefined : firstPlace(from, unlinked);
    return {
      message: `imports '${imported}' from 'simwright', which has no such name`,
      hint: suggestion(imported, vocabulary.exports),
      ...(at !== undefined && { at }),
    };
  }
  const [, receiver = '', name] = /^(.*)\.([A-Za-z_$][\w$]*) is not a function$/s.exec(message) ?? [];
  if (name === undefined) return undefined;
  const maker = /^(?:\(0 ?, ?import_simwright\d*\.)?(experiment|command)\)?\(/.exec(receiver)?.[1];
  const known = maker === undefined ? undefined : vocabulary[maker as 'experiment' | 'command'];
  const near = nearest(name, known ?? [...vocabulary.experiment, ...vocabulary.command]);
  // A function of the user's own says nothing of Simwright's names.
  if (known === undefined && near === undefined) return undefined;
  const what = maker === undefined ? 'what it is called on has no such method' : `${maker}() has no such method`;
  const methods = (known ?? []).map((one) => `.${one}()`).join(', ');
  return {
    message: `calls .${name}(), and ${what}`,
    hint: near === undefined ? `there are: ${methods}` : `did you mean .${near}()?`,
  };
}

/** The first place of a word in a file. */
function firstPlace(file: string, word: string): SourceLocation {
  const lines = readFileSync(file, 'utf8').split('\n');
  const columns = lines.map((text) => text.search(new RegExp(`\\b${word}\\b`)));
  const line = columns.findIndex((column) => column >= 0);
  return { file, line: Math.max(line, 0) + 1, column: Math.max(columns[line] ?? 0, 0) + 1 };
}
