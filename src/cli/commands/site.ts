import { Command, Option } from 'commander';
import { loadLayeredSite, loadSite } from '../../compiler/index.js';
import { Problems } from '../../diagnostics/index.js';
import type { Site } from '../../ir/index.js';
import { knownSites } from '../../sites/known.js';
import { targets } from '../../targets/registry.js';
import { launcherOf, type Target } from '../../targets/target.js';
import { printJson, printWarnings } from '../compile-workflow.js';
import { ExitCode } from '../failure.js';
import { reported } from '../reported.js';
import { siteFields } from '../site/site-fields.js';
import { fieldLines, listedSource, sourceLines } from '../site/site-text.js';
import { askScheduler, compileTrials, type QueueVerdict, type Verdicts } from '../site/site-verdicts.js';
import { formatTable } from '../table.js';
import { siteInstallCommand } from './site-install.js';

interface SiteOptions {
  readonly json?: boolean;
  readonly script?: boolean;
  readonly account?: string;
  readonly offline?: boolean;
}

/** `simwright site`: the sites there are, and whether a site's file is as it has to be. */
export function siteCommand(): Command {
  const json = () => new Option('--json', 'print one JSON document');
  const site = new Command('site');
  site
    .command('list')
    .description('list the built-in sites, and the catalogue of machines with their sources')
    .addOption(json())
    .action(reported(list));
  site
    .command('show')
    .argument('<site>', "a built-in site, a machine of the catalogue, or a site's file")
    .description('show every field of a site, where its value comes from, and why it is so')
    .addOption(json())
    .action(reported(show));
  site
    .command('check')
    .argument('<site>', "the site's file, .json or .ts, or the name of a site")
    .description('check a site, compile a small workflow for each of its queues, and ask its scheduler, if it is here')
    .option('--account <account>', 'the account of the small jobs, if the scheduler takes none without')
    .option('--offline', 'ask no scheduler')
    .addOption(json())
    .addOption(new Option('--script', "print the small workflow's job script"))
    .action(reported(check));
  site.addCommand(siteInstallCommand());
  for (const one of [site, ...site.commands]) one.exitOverride();
  return site;
}

async function list(options: SiteOptions): Promise<void> {
  const sites = await Promise.all(knownSites.map(({ name }) => loadSite(name, knownSites)));
  if (options.json) return printJson({ ok: true, sites });
  const rows = sites.map((one) => [
    one.name,
    one.target,
    launcherOf(targets[one.target], one),
    ...(one.sources === undefined ? ['', 'assumes nothing but the scheduler'] : listedSource(one.sources)),
  ]);
  process.stdout.write(
    `${formatTable([['SITE', 'SCHEDULER', 'LAUNCHER', 'READ ON', 'MACHINE AND SOURCE'], ...rows])}\n`,
  );
}

async function show(name: string, options: SiteOptions): Promise<void> {
  const loaded = await loadLayeredSite(name, knownSites);
  const fields = siteFields(loaded);
  if (options.json) return printJson({ ok: true, site: loaded.site, fields });
  process.stdout.write(`${fieldLines(fields).join('\n')}\n`);
  if (loaded.site.sources !== undefined) process.stdout.write(`\n${sourceLines(loaded.site.sources).join('\n')}\n`);
}

/** The schema, then what only a compiled job shows (launchers, blocks of templates, directives), then the scheduler's own verdict. */
async function check(name: string, options: SiteOptions): Promise<void> {
  const site: Site = await loadSite(name, knownSites);
  const trials = compileTrials(site, options.account);
  const warnings = new Problems();
  for (const { compiled } of trials) warnings.add(compiled.warnings.map((one) => ({ ...one, at: undefined })));
  if (options.script) {
    const [{ files, plan }] = trials.map(({ compiled }) => compiled) as [(typeof trials)[number]['compiled']];
    const script = files.find(({ path }) => path === plan.jobs[0]?.script);
    if (typeof script?.content === 'string') process.stdout.write(script.content);
    return;
  }
  const none: Verdicts = { verdicts: [], unasked: 'not asked', differences: [] };
  const { verdicts, unasked, differences } = options.offline === true ? none : await askScheduler(site, trials);
  warnings.add(differences);
  const refused = verdicts.filter(({ accepted }) => !accepted);
  if (options.json) {
    if (refused.length > 0) process.exitCode = ExitCode.schedulerRefused;
    const told = unasked === undefined ? { verdicts } : { verdicts, unasked };
    return printJson({ ok: refused.length === 0, site, problems: warnings.sorted(), ...told });
  }
  printWarnings(warnings.sorted());
  if (refused.length === 0) process.stdout.write(describe(site));
  for (const one of verdicts) if (one.accepted) process.stdout.write(`${jobFor(one)}: ${firstLine(one.says)}\n`);
  if (unasked !== undefined) process.stdout.write(`no verdict of the scheduler: ${unasked}\n`);
  const problems = new Problems();
  for (const one of refused) problems.error('JOB1001', `${jobFor(one)} would be refused\n${one.says}`, undefined);
  problems.throwIfErrors();
}

function jobFor({ queue }: QueueVerdict): string {
  return queue === undefined ? 'a small job' : `a small job in queue '${queue}'`;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

/** The limits that a site sets for workflows. A limit that it does not set cannot be checked. */
function describe(site: Site): string {
  const { node, maxNodes, queues } = site;
  const target: Target = targets[site.target];
  const known = [
    ...(maxNodes === undefined ? [] : [`${maxNodes} nodes a job`]),
    ...(node.cores === undefined ? [] : [`${node.cores} cores`]),
    ...(node.gpus === undefined ? [] : [`${node.gpus} GPUs`]),
    ...(node.memoryMiB === undefined ? [] : [`${node.memoryMiB} MiB a node`]),
    ...(Object.keys(queues).length === 0 ? [] : [`the limits of ${Object.keys(queues).join(', ')}`]),
  ];
  const limits = known.length === 0 ? '' : `workflows are held to: ${known.join(', ')}\n`;
  return `site ${site.name} is fine: ${target.name} jobs, launched by ${launcherOf(target, site)}\n${limits}`;
}
