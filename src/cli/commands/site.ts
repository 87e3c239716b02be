import { Command, Option } from 'commander';
import { type Compiled, compile, loadSite } from '../../compiler/index.js';
import { type Problem, WorkflowError } from '../../diagnostics/index.js';
import type { Site } from '../../ir/index.js';
import { builtInSites } from '../../sites/built-in.js';
import { targets } from '../../targets/registry.js';
import { launcherOf, type Target } from '../../targets/target.js';
import { printJson, printWarnings } from '../compile-workflow.js';
import { reported } from '../reported.js';
import { formatTable } from '../table.js';
import { trialWorkflow } from '../trial-workflow.js';
import { siteInstallCommand } from './site-install.js';

interface SiteOptions {
  readonly json?: boolean;
  readonly script?: boolean;
}

/** `simwright site`: the sites there are, and whether a site's file is as it has to be. */
export function siteCommand(): Command {
  const json = () => new Option('--json', 'print one JSON document');
  const site = new Command('site');
  site.command('list').description('list the built-in sites').addOption(json()).action(reported(list));
  site
    .command('show')
    .argument('<site>', "a built-in site or a site's file")
    .description('show a site with all its defaults, as the JSON of a site file')
    .action(reported(async (name: string) => printJson(await loadSite(name, builtInSites))));
  site
    .command('check')
    .argument('<file>', "the site's file, .json or .ts")
    .description("check a site's file, and compile a small workflow for it")
    .addOption(json())
    .option('--script', "print the small workflow's job script")
    .action(reported(check));
  site.addCommand(siteInstallCommand());
  for (const one of [site, ...site.commands]) one.exitOverride();
  return site;
}

async function list(options: SiteOptions): Promise<void> {
  const sites = await Promise.all(builtInSites.map(({ name }) => loadSite(name, builtInSites)));
  if (options.json) return printJson({ ok: true, sites });
  const rows = sites.map((one) => [one.name, one.target, launcherOf(targets[one.target], one)]);
  process.stdout.write(`${formatTable([['SITE', 'SCHEDULER', 'LAUNCHER'], ...rows])}\n`);
}

/** The schema, and then what only a compiled job shows: launchers, blocks of templates, directives. */
async function check(file: string, options: SiteOptions): Promise<void> {
  const site: Site = await loadSite(file, builtInSites);
  const { files, plan, warnings } = compileTrial(site);
  if (options.json) return printJson({ ok: true, site, problems: warnings });
  printWarnings(warnings);
  if (options.script) {
    const script = files.find(({ path }) => path === plan.jobs[0]?.script);
    if (typeof script?.content === 'string') process.stdout.write(script.content);
    return;
  }
  const target: Target = targets[site.target];
  process.stdout.write(
    `site ${site.name} is fine: ${target.name} jobs, launched by ${launcherOf(target, site)}\n${describeNode(site)}`,
  );
}

/** Places in the trial say nothing to the site's author. */
function compileTrial(site: Site): Compiled {
  try {
    return compile(trialWorkflow(), site);
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    const [first, ...rest] = error.problems;
    throw new WorkflowError([withoutPlace(first), ...rest.map(withoutPlace)]);
  }
}

function withoutPlace(problem: Problem): Problem {
  return { ...problem, at: undefined };
}

/** The limits that a site sets for workflows. A limit that it does not set cannot be checked. */
function describeNode({ node, maxNodes }: Site): string {
  const known = [
    ...(maxNodes === undefined ? [] : [`${maxNodes} nodes a job`]),
    ...(node.cores === undefined ? [] : [`${node.cores} cores`]),
    ...(node.gpus === undefined ? [] : [`${node.gpus} GPUs`]),
    ...(node.memoryMiB === undefined ? [] : [`${node.memoryMiB} MiB a node`]),
  ];
  return known.length === 0 ? '' : `workflows are held to: ${known.join(', ')}\n`;
}
