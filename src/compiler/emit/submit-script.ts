import { minimumNode, type Plan, submittersVariables } from '../../ir/index.js';
import { quoteComment, quoteShell, quoteShellWord } from '../../targets/quoting.js';
import type { Target } from '../../targets/target.js';
import { makerLine } from './job-script.js';
import { renderTemplate } from './render-template.js';

/** submit.sh: every job in order, with the scheduler's own dependencies. */
export function submitScript(plan: Plan, target: Target): string {
  const variables = new Map(plan.jobs.map(({ name }, index) => [name, `job${index + 1}`]));
  const needed = submittersVariables(plan);
  return renderTemplate(`${target.name}/submit.sh.njk`, {
    title: quoteComment(`Submits the jobs of experiment ${plan.experiment}.`),
    maker: makerLine(plan),
    // Variables that applications get from whoever submits: names only.
    needed,
    // Variables that jobs read, for schedulers that do not hand on the whole environment.
    carried: ['SIMWRIGHT_FRESH', 'SIMWRIGHT_KEEP', 'SIMWRIGHT_RETRY', 'SIMWRIGHT_RUN', ...needed].join(','),
    // Some job is submitted more than once.
    hasSeparate: plan.jobs.some(({ separate }) => separate !== undefined),
    node: quoteShellWord(plan.nodeCommand),
    minimumNode,
    cancel: quoteShell(target.queries?.cancel ?? []),
    jobs: plan.jobs.map((job) => ({
      name: quoteShellWord(job.name),
      script: quoteShellWord(job.script),
      variable: variables.get(job.name),
      // How often it is submitted, where that is once a member; its variable then holds all ids, parted by ":".
      separate: job.separate ?? 0,
      // Job ids are the only expansions: everything else in these words is fixed text.
      dependency: target
        .dependency(job.after.map(({ job: name, event }) => ({ id: `$${variables.get(name)}`, event })))
        .map((word) => (word.includes('$') ? `"${word}"` : quoteShellWord(word))),
      needs: job.after.map(({ job: name, event }) => quoteShellWord(`${name}:${event}`)),
    })),
  });
}
