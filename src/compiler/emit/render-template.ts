import { fileURLToPath } from 'node:url';
import nunjucks from 'nunjucks';

const folder = fileURLToPath(new URL('../../../templates', import.meta.url));

const environment = new nunjucks.Environment(new nunjucks.FileSystemLoader(folder), {
  autoescape: false,
  throwOnUndefined: true,
  trimBlocks: true,
  lstripBlocks: true,
  // bash's ${#array[@]} would open nunjucks' own kind of comment.
  tags: { commentStart: '<#', commentEnd: '#>' },
});

/** A script from its template; `name` is relative to templates/. Runs of empty lines become one. */
export function renderTemplate(name: string, context: object): string {
  const text = environment.render(name, context);
  return `${text.replace(/\n{3,}/g, '\n\n').trimEnd()}\n`;
}
