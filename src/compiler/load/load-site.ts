import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Problem, type SourceLocation, suggestion, WorkflowError } from '../../diagnostics/index.js';
import { Site, type SiteInput } from '../../ir/index.js';
import { loadModule } from './load-workflow.js';

/**
 * A site by its name, or from its file (`.json`, or TypeScript or JavaScript with a default export).
 *
 * @throws WorkflowError if there is no such site, or it is not as a site has to be.
 */
export async function loadSite(nameOrFile: string, builtIn: readonly SiteInput[]): Promise<Site> {
  const known = builtIn.find(({ name }) => name === nameOrFile);
  if (known !== undefined) return checkSite(known, `site '${nameOrFile}'`, undefined);
  if (!/[./]/.test(nameOrFile)) {
    const hint = `${suggestion(
      nameOrFile,
      builtIn.map(({ name }) => name),
    )} (or name a site's file)`;
    throw new WorkflowError({ code: 'SITE1001', message: `there is no site '${nameOrFile}'`, hint });
  }
  const file = resolve(nameOrFile);
  const input = file.endsWith('.json') ? readJson(file) : await loadModule(file, 'site');
  return checkSite(input, nameOrFile, { file, line: 1, column: 1 });
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new WorkflowError({ code: 'SITE1001', message: `the site's file ${file} cannot be read`, cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `${file} is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new WorkflowError({ code: 'SITE1002', message, at: { file, line: 1, column: 1 }, cause });
  }
}

/** @throws WorkflowError with every field that is wrong. */
export function checkSite(input: unknown, what: string, at: SourceLocation | undefined): Site {
  const result = Site.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue): Problem => {
    const place = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
    return { code: 'SITE1002', severity: 'error', message: `${what}: ${place}${issue.message}`, at };
  });
  const [first, ...rest] = problems;
  throw first === undefined
    ? new WorkflowError({ code: 'SITE1002', message: what, at })
    : new WorkflowError([first, ...rest]);
}
