import { looksSecret } from '../ir/index.js';
import type { Arguments } from './arguments.js';

/** A warning for each value that seems to be a secret: it would stand in plain text in the compiled folder. */
export function warnOfSecrets(checked: Arguments, named: Iterable<readonly [name: string, value: unknown]>): void {
  for (const [name, value] of named) {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (values.some((one) => looksSecret(name, one))) warn(checked, name);
  }
}

const assignment = /(?:^|[\s;&])(?:export\s+)?([A-Za-z_]\w*)=('[^']*'|"[^"]*"|[^\s;&'"]*)/g;

/** A warning for each assignment in lines of shell that seems to hold a secret: `export HF_TOKEN=…`. */
export function warnOfSecretsInShell(checked: Arguments, lines: readonly string[]): void {
  for (const line of lines) {
    for (const [, name = '', value = ''] of line.matchAll(assignment)) {
      if (looksSecret(name, value.replace(/^'(.*)'$/, '$1'))) warn(checked, name);
    }
  }
}

/** A warning for each option of a command line that seems to hold a secret: `--api-key=…`, and `--password` with a word after it. */
export function warnOfSecretsInWords(checked: Arguments, words: readonly string[]): void {
  for (const [index, word] of words.entries()) {
    const [, name, value] = /^-{1,2}([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(word) ?? [];
    const next = words[index + 1];
    const given = value ?? (next !== undefined && /^[-{]/.test(next) ? undefined : next);
    if (name !== undefined && looksSecret(name, given)) warn(checked, word.replace(/=.*/s, ''));
  }
}

function warn(checked: Arguments, name: string): void {
  checked.problems.warning(
    'DSL1020',
    `${checked.call}: ${name} looks like a secret, and its value will stand in the compiled folder for everybody who can read it`,
    checked.at,
    "take it from the submitter's environment: .env({ NAME: fromEnvironment('NAME') })",
  );
}
