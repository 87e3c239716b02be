import { resolve } from 'node:path';
import { Command } from 'commander';
import { type Problem, Problems, WorkflowError } from '../../diagnostics/index.js';
import { budgetOption, keepBudget } from '../budget.js';
import { compileWorkflow, printJson, printWarnings, takesWorkflow, type WorkflowOptions } from '../compile-workflow.js';
import { reported } from '../reported.js';

interface CheckOptions extends WorkflowOptions {
  readonly types: boolean;
  readonly budget?: number;
}

/** `simwright check`: checks types, compiles in memory, and reports every problem. */
export function checkCommand(): Command {
  return takesWorkflow(new Command('check'))
    .option('--no-types', 'do not check types')
    .addOption(budgetOption())
    .action(
      reported(async (workflow: string, options: CheckOptions) => {
        const { experiment, site, warnings } = await check(workflow, options);
        if (options.json) return printJson({ ok: true, experiment, site, problems: warnings });
        printWarnings(warnings);
        process.stdout.write(`${workflow} is fine for site ${site}\n`);
      }),
    );
}

async function check(workflow: string, options: CheckOptions) {
  const problems = new Problems();
  let compiled: { readonly experiment: string; readonly site: string } | undefined;
  try {
    const { plan, warnings } = await compileWorkflow(workflow, options);
    problems.add(warnings);
    keepBudget(plan, options.budget);
    compiled = { experiment: plan.experiment, site: plan.site };
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    problems.add(error.problems);
  }
  if (options.types && !problems.sorted().some(({ code }) => code === 'LOAD1001')) {
    const { checkTypes } = await import('../check-types.js');
    problems.add(newTo(problems.sorted(), await checkTypes(resolve(workflow))));
  }
  problems.throwIfErrors();
  if (compiled === undefined) throw new Error('a workflow without errors has been compiled');
  return { ...compiled, warnings: problems.sorted() };
}

/** Problems of types that are not reported yet: a syntax error or a name used twice is reported once. */
function newTo(known: readonly Problem[], found: readonly Problem[]): Problem[] {
  const lines = new Set(
    known.filter(({ severity }) => severity === 'error').map(({ at }) => `${at?.file}:${at?.line}`),
  );
  return found.filter(({ at }) => at === undefined || !lines.has(`${at.file}:${at.line}`));
}
