import { minimumNode, type Plan, submittersVariables } from '../../ir/index.js';
import { quoteComment, quoteShell, quoteShellWord } from '../../targets/quoting.js';
import type { Target } from '../../targets/target.js';
import { makerLine } from './job-script.js';
import { renderTemplate } from './render-template.js';

/** submit.sh: it submits the jobs in order, with the scheduler's own dependencies. */
export function submitScript(plan: Plan, target: Target): string {
  const variables = new Map(plan.jobs.map(({ name }, index) => [name, `job${index + 1}`]));
  const needed = submittersVariables(plan);
  return renderTemplate(`${target.name}/submit.sh.njk`, {
    title: quoteComment(`Submits the jobs of experiment ${plan.experiment}.`),
    maker: makerLine(plan),
    // Names of the variables that applications take from the submitter's environment.
    needed,
    // Variables to pass on explicitly, for schedulers that do not pass on the whole environment.
    carried: ['SIMWRIGHT_FRESH', 'SIMWRIGHT_KEEP', 'SIMWRIGHT_RETRY', 'SIMWRIGHT_RUN', ...needed].join(','),
    // True if a job is submitted once for each member.
    hasSeparate: plan.jobs.some(({ separate }) => separate !== undefined),
    node: quoteShellWord(plan.nodeCommand),
    minimumNode,
    cancel: quoteShell(target.queries?.cancel ?? []),
    jobs: plan.jobs.map((job) => ({
      name: quoteShellWord(job.name),
      script: quoteShellWord(job.script),
      variable: variables.get(job.name),
      // Number of submissions if there is one for each member, else 0. The job's variable holds all ids, separated by ":".
      separate: job.separate ?? 0,
      // Job ids are the only expansions in these words.
      dependency: target
        .dependency(job.after.map(({ job: name, event }) => ({ id: `$${variables.get(name)}`, event })))
        .map((word) => (word.includes('$') ? `"${word}"` : quoteShellWord(word))),
      needs: job.after.map(({ job: name, event }) => quoteShellWord(`${name}:${event}`)),
    })),
  });
}
