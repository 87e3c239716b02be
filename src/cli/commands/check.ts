import { Command } from 'commander';
import { compileWorkflow, printJson, printWarnings, takesWorkflow, type WorkflowOptions } from '../compile-workflow.js';
import { reportFailure, reportJsonFailure } from '../failure.js';

/** `simwright check`: compiles in memory and reports every problem. */
export function checkCommand(): Command {
  return takesWorkflow(
    new Command('check').description('report every problem of a workflow, and write nothing'),
  ).action(async (workflow: string, options: WorkflowOptions) => {
    try {
      const { plan, warnings } = await compileWorkflow(workflow, options);
      if (options.json)
        return printJson({ ok: true, experiment: plan.experiment, site: plan.site, problems: warnings });
      printWarnings(warnings);
      process.stdout.write(`${workflow} is fine for site ${plan.site}\n`);
    } catch (error) {
      process.exitCode = options.json ? reportJsonFailure(error) : reportFailure(error);
    }
  });
}
