import type { SiteSources } from '../../ir/index.js';
import { formatTable } from '../table.js';
import { type SiteField, valueText } from './site-fields.js';

/** A table of fields. Below the fields that a reason is given for stands the reason. */
export function fieldLines(fields: readonly SiteField[]): string[] {
  const rows = fields.map(({ field, value, from }) => [field, valueText(value), from]);
  const [head = '', ...lines] = formatTable([['FIELD', 'VALUE', 'FROM'], ...rows]).split('\n');
  const reasons = fields.map(({ fact }, index): string[] => {
    const isLast = fields[index + 1]?.fact?.at !== fact?.at;
    return fact === undefined || !isLast ? [] : [`    ${fact.says} [${fact.page}]`];
  });
  return [head, ...lines.flatMap((line, index) => [line, ...(reasons[index] ?? [])])];
}

/** The pages, the day on which they were read, and what they leave open. */
export function sourceLines({ about, read, pages, open }: SiteSources): string[] {
  const titles = Object.entries(pages).map(([name, { title, url, dated }]) => {
    const details = [...(url === undefined ? [] : [url]), ...(dated === undefined ? [] : [`text of ${dated}`])];
    return `    [${name}] ${title}${details.length === 0 ? '' : `: ${details.join(', ')}`}`;
  });
  return [
    ...(about === undefined ? [] : [about]),
    `Sources, read on ${read}:`,
    ...titles,
    ...(open.length === 0 ? [] : ['Left to you:', ...open.map((one) => `    ${one}`)]),
  ];
}

/** Cells of the day on which a site's pages were read, and of its machine and first page. */
export function listedSource({ about, read, pages }: SiteSources): [read: string, source: string] {
  const [page] = Object.values(pages);
  return [read, [about, page?.url ?? page?.title].filter((one) => one !== undefined).join('; ')];
}
