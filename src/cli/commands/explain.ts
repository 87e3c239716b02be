import { readFileSync } from 'node:fs';
import { Argument, Command, Option } from 'commander';
import { type ErrorCode, errorCodes, nearest, WorkflowError } from '../../diagnostics/index.js';
import { printJson } from '../compile-workflow.js';
import { reported } from '../reported.js';

/** `simwright explain`: what an error code means and what to do. */
export function explainCommand(): Command {
  return new Command('explain')
    .addArgument(new Argument('[code]', 'such as TMPL1001'))
    .addOption(new Option('--json', 'print one JSON document'))
    .action(
      reported(async (code: string | undefined, options: { readonly json?: boolean }) => {
        if (code === undefined) return listCodes(options.json === true);
        const known = findCode(code);
        const text = explanationOf(known);
        if (options.json) return printJson({ ok: true, code: known, title: errorCodes[known], text });
        process.stdout.write(`${known}: ${errorCodes[known]}\n${text === '' ? '' : `\n${text}\n`}`);
      }),
    );
}

function listCodes(json: boolean): void {
  const codes = Object.entries(errorCodes).map(([code, title]) => ({ code, title }));
  if (json) printJson({ ok: true, codes });
  else process.stdout.write(`${codes.map(({ code, title }) => `${code.padEnd(9)} ${title}`).join('\n')}\n`);
}

function findCode(text: string): ErrorCode {
  // As it stands in an error's first line, too: error[TMPL1001].
  const code = text.toUpperCase().replace(/^(?:ERROR|WARNING)\[|\]$/g, '');
  if (Object.hasOwn(errorCodes, code)) return code as ErrorCode;
  const near = nearest(code, Object.keys(errorCodes));
  throw new WorkflowError({
    code: 'CLI1001',
    message: `there is no error code '${text}'`,
    hint: near === undefined ? "'simwright explain' lists them" : `did you mean '${near}'?`,
  });
}

/** The section of docs/errors.md about a code. */
function explanationOf(code: ErrorCode): string {
  let page: string;
  try {
    page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  } catch {
    return '';
  }
  const lines = page.split('\n');
  const start = lines.findIndex((line) => /^#+ (\S+?):?(?: |$)/.exec(line)?.[1] === code);
  if (start === -1) return '';
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 1;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => (/^(#+) /.exec(line)?.[1]?.length ?? 99) <= level);
  return (end === -1 ? rest : rest.slice(0, end)).join('\n').trim();
}
