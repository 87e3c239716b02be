import { fileURLToPath } from 'node:url';
import { type Compiled, compile, loadSite, loadWorkflow } from '../compiler/index.js';
import type { SourceLocation } from '../diagnostics/index.js';
import { type AuthoredExperiment, authoredExperiment, type ExtendingSite, type SiteInput } from '../ir/index.js';
import { knownSites } from '../sites/known.js';

/** Stands for Simwright's version in golden files, so that a new version alone does not change them. */
const anyVersion = 'x.y.z';

/** A compiled workflow as text, for snapshot tests. */
export interface CompiledForTest {
  /** Text files by path: plan.json, submit.sh, the job scripts. Artifacts and the runtime are left out. */
  readonly files: ReadonlyMap<string, string>;
  /** Warnings, as `CODE message`. */
  readonly warnings: readonly string[];
}

/**
 * Compiles a workflow (its file, or the experiment itself) for a site (its name, its file, or the site itself), in memory.
 *
 * Relative paths of an experiment given by value start at the file that declares it.
 *
 * @throws WorkflowError with every problem there is.
 */
export async function compileForTest(
  workflow: string | URL | AuthoredExperiment,
  site: string | SiteInput | ExtendingSite,
): Promise<CompiledForTest> {
  const checked = await loadSite(site, knownSites);
  const compiled = compile({ ...(await recordOf(workflow)), version: anyVersion }, checked);
  return { files: textFiles(compiled), warnings: compiled.warnings.map(({ code, message }) => `${code} ${message}`) };
}

async function recordOf(workflow: string | URL | AuthoredExperiment) {
  if (typeof workflow === 'string') return loadWorkflow(workflow);
  if (workflow instanceof URL) return loadWorkflow(fileURLToPath(workflow));
  const record = workflow[authoredExperiment];
  const at: SourceLocation | undefined = record.declaration.at;
  return { ...record, file: at?.file ?? `${process.cwd()}/workflow.ts` };
}

function textFiles({ files }: Compiled): Map<string, string> {
  return new Map(files.flatMap(({ path, content }) => (typeof content === 'string' ? [[path, content]] : [])));
}
