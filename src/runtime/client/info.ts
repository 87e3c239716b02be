/** `INFO`'s text by section and name: `# Section` lines, then `name:value` lines. */
export function infoOf(text: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {};
  let fields: Record<string, string> = {};
  for (const line of text.split('\r\n')) {
    if (line.startsWith('# ')) {
      fields = {};
      sections[line.slice(2)] = fields;
    } else if (line.includes(':')) {
      fields[line.slice(0, line.indexOf(':'))] = line.slice(line.indexOf(':') + 1);
    }
  }
  return sections;
}
