import { type Command, Option } from 'commander';
import { type Compiled, compile, loadLayeredSite, loadWorkflow } from '../compiler/index.js';
import { type Problem, renderProblems } from '../diagnostics/index.js';
import type { Site } from '../ir/index.js';
import { knownSites } from '../sites/known.js';
import { hasColour } from './failure.js';

export { printJson } from './print-json.js';

/** Options of every command that compiles. */
export interface WorkflowOptions {
  readonly site: string;
  readonly json?: boolean;
}

/** Adds the workflow's argument and the options that go with it. */
export function takesWorkflow(command: Command): Command {
  return command
    .argument('<workflow>', "the workflow's file")
    .option(
      '--site <site>',
      `a built-in site (${knownSites.map(({ name }) => name).join(', ')}) or a site's file`,
      'local',
    )
    .addOption(new Option('--json', 'print one JSON document'));
}

/** Loads a workflow and compiles it for a site, in memory. */
export async function compileWorkflow(
  path: string,
  options: WorkflowOptions,
): Promise<Compiled & { readonly site: Site }> {
  const { site, layers } = await loadLayeredSite(options.site, knownSites);
  const workflow = await loadWorkflow(path);
  const siteFiles = layers.flatMap(({ file }) => file ?? []);
  return { ...compile({ ...workflow, siteFiles }, site), site };
}

/** Prints warnings on stderr. */
export function printWarnings(warnings: readonly Problem[]): void {
  if (warnings.length === 0) return;
  process.stderr.write(`${renderProblems(warnings, { cwd: process.cwd(), colour: hasColour(process.stderr) })}\n`);
}
