import { readFileSync, statSync } from 'node:fs';
import { ownNumberVariables } from '../../ir/index.js';

/** Largest file that is looked through, in bytes: programs are smaller, data sets larger. */
const mostBytes = 16 * 1024 * 1024;

/** Attributes of `simwright.run` that differ from member to member beside its parameters. */
const ownFacts = /\brun\.(index|name|directory|as_dict)\b/;

/** Ways in which programs read their member's parameters: from the file itself, or by the Python package. */
const ownParams = /\bparams\.json\b|\bsimwright\b[\s\S]*\brun\.(params?|as_dict)\b/;

/** True if a file names a variable that tells a member its number, or asks for it in Python: what it does may then depend on that. */
export function namesOwnNumber(path: string): boolean {
  const text = textOf(path);
  if (ownNumberVariables.some((variable) => text.includes(variable))) return true;
  return text.includes('simwright') && ownFacts.test(text);
}

/** True if a file reads its member's parameters: which of them cannot be told. */
export function readsOwnParams(path: string): boolean {
  return ownParams.test(textOf(path));
}

/** A file's bytes as Latin-1, empty for a large one. */
function textOf(path: string): string {
  return statSync(path).size > mostBytes ? '' : readFileSync(path, 'latin1');
}
