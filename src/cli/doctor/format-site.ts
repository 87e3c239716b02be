import { asSite, type DraftField } from './draft-site.js';

/** A drafted site as a TypeScript file, each field with its reason above it. */
export function formatTypeScript(fields: readonly DraftField[], host: string): string {
  const lines = fields.map(({ name, value, comment }) => `  // ${oneLine(comment)}\n  ${name}: ${literal(value)},`);
  return `import { defineSite } from 'simwright';

// Drafted by simwright doctor on ${oneLine(host)}. Read it, correct what was guessed, then: simwright site check FILE
export default defineSite({
${lines.join('\n')}
});
`;
}

/** A drafted site as JSON, without comments. */
export function formatJson(fields: readonly DraftField[]): string {
  return `${JSON.stringify(asSite(fields), null, 2)}\n`;
}

function literal(value: unknown): string {
  if (typeof value === 'string')
    return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).map(([name, part]) => `${keyText(name)}: ${literal(part)}`);
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}

/** A key of an object: names of queues may have any signs. */
function keyText(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : literal(name);
}

/** Text of others on one line, so that it stays a comment. */
function oneLine(text: string): string {
  return text.replace(/[\s\u2028\u2029]+/g, ' ').trim();
}
