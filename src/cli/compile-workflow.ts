import { type Command, Option } from 'commander';
import { type Compiled, compile, loadLayeredSite, loadWorkflow } from '../compiler/index.js';
import { type Problem, renderProblems } from '../diagnostics/index.js';
import type { Site } from '../ir/index.js';
import { knownSites } from '../sites/known.js';
import { defaultFolder } from './compiled-folder.js';
import { hasColour } from './failure.js';
import { engineDoubts } from './missing-engine.js';

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

/** Loads a workflow and compiles it for a site, in memory. Warnings tell also what this machine lacks. */
export async function compileWorkflow(
  path: string,
  options: WorkflowOptions & { readonly out?: string },
): Promise<Compiled & { readonly site: Site }> {
  const { site, layers } = await loadLayeredSite(options.site, knownSites);
  const workflow = await loadWorkflow(path);
  const siteFiles = layers.flatMap(({ file }) => file ?? []);
  const compiled = compile({ ...workflow, siteFiles }, site);
  const doubts = await engineDoubts(compiled.plan, options.out ?? defaultFolder(compiled.plan.experiment));
  return { ...compiled, warnings: [...compiled.warnings, ...doubts], site };
}

/** Prints warnings on stderr. */
export function printWarnings(warnings: readonly Problem[]): void {
  if (warnings.length === 0) return;
  process.stderr.write(`${renderProblems(warnings, { cwd: process.cwd(), colour: hasColour(process.stderr) })}\n`);
}
