import { directiveWords } from '../../../targets/queries.js';
import type { JobRequest } from '../../standins.js';

/** Directives of a script by components of the job, and the lines that look like some and that sbatch does not read. */
export interface Directives {
  readonly components: readonly (readonly string[])[];
  readonly ignored: JobRequest['ignored'];
}

/** Reads the lines that begin with `#SBATCH`, up to the first that is neither a comment nor blank. */
export function readDirectives(script: string): Directives {
  const components: string[][] = [[]];
  const ignored: { line: number; text: string; why: string }[] = [];
  let inHead = true;
  for (const [index, line] of script.split('\n').entries()) {
    if (/^\s*[^\s#]/.test(line)) inHead = false;
    const looksLikeOne = /^\s*#+\s*SBATCH\b/.test(line);
    if (!looksLikeOne) continue;
    if (!inHead) ignored.push({ line: index + 1, text: line, why: 'it stands after the first command' });
    else if (!/^#SBATCH\s/.test(line))
      ignored.push({ line: index + 1, text: line, why: 'a directive begins with #SBATCH in the first column' });
    else if (/^#SBATCH\s+(hetjob|packjob)\s*$/.test(line)) components.push([]);
    else components.at(-1)?.push(...beforeComment(directiveWords(line, '#SBATCH', 'head')));
  }
  return { components, ignored };
}

function beforeComment(words: readonly string[]): readonly string[] {
  const at = words.findIndex((word) => word.startsWith('#'));
  return at === -1 ? words : words.slice(0, at);
}
