import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import nunjucks from 'nunjucks';
import { suggestion, WorkflowError } from '../../diagnostics/index.js';

const folder = fileURLToPath(new URL('../../../templates', import.meta.url));

const environment = new nunjucks.Environment(new nunjucks.FileSystemLoader(folder), {
  autoescape: false,
  throwOnUndefined: true,
  trimBlocks: true,
  lstripBlocks: true,
  // The default start of a comment occurs in bash: ${#array[@]}.
  tags: { commentStart: '<#', commentEnd: '#>' },
});

/**
 * A script, rendered from a template; `name` is relative to templates/. `blocks` replace blocks of the template by name. Several empty lines
 * become one.
 *
 * @throws WorkflowError for a block that the template does not have, or that cannot be rendered.
 */
export function renderTemplate(name: string, context: object, blocks: Readonly<Record<string, string>> = {}): string {
  const text =
    Object.keys(blocks).length === 0 ? environment.render(name, context) : renderChild(name, context, blocks);
  return `${text.replace(/\n{3,}/g, '\n\n').trimEnd()}\n`;
}

function renderChild(name: string, context: object, blocks: Readonly<Record<string, string>>): string {
  const known = blockNames(name);
  const unknown = Object.keys(blocks).filter((block) => !known.includes(block));
  const [first, ...rest] = unknown.map((block) => ({
    code: 'SITE1002' as const,
    severity: 'error' as const,
    message: `blocks: the script's template has no block '${block}'`,
    hint: suggestion(block, known),
  }));
  if (first !== undefined) throw new WorkflowError([first, ...rest]);
  const child = Object.entries(blocks).map(
    ([block, text]) => `{% block ${block} %}\n${text.replace(/\n?$/, '\n')}{% endblock %}`,
  );
  try {
    return environment.renderString([`{% extends "${name}" %}`, ...child].join('\n'), context);
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, ' ');
    throw new WorkflowError({ code: 'SITE1002', message: `blocks: they cannot be rendered: ${reason}`, cause });
  }
}

/** Names of the blocks of a template and of the templates that it extends. */
function blockNames(name: string): string[] {
  const text = readFileSync(`${folder}/${name}`, 'utf8');
  const parent = /\{% extends "([^"]+)" %\}/.exec(text)?.[1];
  const own = [...text.matchAll(/\{% block (\w+) %\}/g)].map((match) => match[1] ?? '');
  return [...new Set([...(parent === undefined ? [] : blockNames(parent)), ...own])];
}
