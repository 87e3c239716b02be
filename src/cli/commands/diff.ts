import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { WorkflowError } from '../../diagnostics/index.js';
import { compileWorkflow, printJson, printWarnings, takesWorkflow, type WorkflowOptions } from '../compile-workflow.js';
import { defaultFolder } from '../compiled-folder.js';
import { ExitCode, hasColour } from '../failure.js';
import { colourDiff, diffFolder } from '../folder-diff.js';
import { reported } from '../reported.js';
import { withRuntime } from './compile.js';

interface DiffOptions extends WorkflowOptions {
  readonly out?: string;
  readonly withOnnxruntime?: boolean;
}

/** `simwright diff`: what compile would change in a folder. */
export function diffCommand(): Command {
  return takesWorkflow(new Command('diff'))
    .option('--out <dir>', 'the folder to compare with (default: NAME.simwright)')
    .option('--with-onnxruntime', 'as for compile')
    .addHelpText('after', '\nExit codes: 0 the folder is up to date, 1 it is not, or the workflow has errors.')
    .action(
      reported(async (workflow: string, options: DiffOptions) => {
        const compiled = await compileWorkflow(workflow, options);
        const { plan, warnings } = compiled;
        const folder = resolve(options.out ?? defaultFolder(plan.experiment));
        if (!existsSync(folder)) {
          throw new WorkflowError({
            code: 'CLI1001',
            message: `there is no folder ${folder}`,
            hint: 'name it with --out, or write it with compile',
          });
        }
        const difference = diffFolder(folder, withRuntime(compiled, options.withOnnxruntime === true));
        if (!difference.same) process.exitCode = ExitCode.workflowErrors;
        const { same, text, added, changed, removed } = difference;
        if (options.json) return printJson({ ok: same, folder, added, changed, removed, diff: text });
        printWarnings(warnings);
        if (same) return void process.stderr.write(`${folder} is up to date\n`);
        process.stdout.write(`${hasColour(process.stdout) ? colourDiff(text) : text}\n`);
      }),
    );
}
