import { suggestion, WorkflowError } from '../diagnostics/index.js';
import { type Entity, formatIndexRange, hasNumbers, type IndexRange, type Plan } from '../ir/index.js';
import { parseRanges } from './index-ranges.js';

/**
 * Members that `--members` chooses, as the runtime reads them in `SIMWRIGHT_MEMBERS`: `0,2-3` means these members of every ensemble that has them;
 * `NAME:0,2-3` of one, and wins over the other form. Ensembles that nothing names run as a whole.
 *
 * @throws WorkflowError CLI1001
 */
export function chosenMembers(plan: Plan, texts: readonly string[]): string {
  const ensembles = plan.entities.filter(hasNumbers);
  if (ensembles.length === 0) throw wrongMembers(texts, 'the workflow has no ensemble');
  const ofAll = texts.filter((text) => !text.includes(':')).flatMap((text) => parseRanges(text, `--members ${text}`));
  const named = texts.filter((text) => text.includes(':')).map((text) => nameAndRanges(text, ensembles));
  return ensembles
    .flatMap((ensemble) => {
      const own = named.filter(({ name }) => name === ensemble.name).flatMap(({ ranges }) => ranges);
      const wanted = own.length > 0 ? own : ofAll;
      if (wanted.length === 0) return [];
      const { count } = ensemble.members;
      const beyond = own.find(({ last }) => last >= count);
      const there = wanted
        .filter(({ first }) => first < count)
        .map(({ first, last }) => ({ first, last: Math.min(last, count - 1) }));
      if (beyond !== undefined || there.length === 0) {
        const index = beyond?.last ?? wanted[0]?.first;
        throw wrongMembers(texts, `'${ensemble.name}' has no member ${index}`, `its indices go from 0 to ${count - 1}`);
      }
      return `${ensemble.name}:${there.map(formatIndexRange).join(',')}`;
    })
    .join(' ');
}

function nameAndRanges(
  text: string,
  ensembles: readonly Entity[],
): { readonly name: string; readonly ranges: IndexRange[] } {
  const [name = '', list = ''] = text.split(':');
  if (ensembles.some((ensemble) => ensemble.name === name))
    return { name, ranges: parseRanges(list, `--members ${text}`) };
  const names = ensembles.map((ensemble) => ensemble.name);
  throw wrongMembers(
    [text],
    `there is no ensemble '${name}'`,
    suggestion(name, names) ?? `ensembles: ${names.join(', ')}`,
  );
}

function wrongMembers(texts: readonly string[], why: string, hint?: string): WorkflowError {
  return new WorkflowError({ code: 'CLI1001', message: `--members ${texts.join(' ')}: ${why}`, hint });
}
