import { resolve } from 'node:path';
import { Command } from 'commander';
import {
  type Compiled,
  type OutputFile,
  onnxRuntimeFiles,
  pythonFiles,
  runtimeFiles,
  writeFolder,
} from '../../compiler/index.js';
import { forecastLines } from '../../runtime/rerun/index.js';
import { quoteShellWord } from '../../targets/quoting.js';
import { targets } from '../../targets/registry.js';
import { budgetOption, keepBudget } from '../budget.js';
import { compileWorkflow, printJson, printWarnings, takesWorkflow, type WorkflowOptions } from '../compile-workflow.js';
import { defaultFolder } from '../compiled-folder.js';
import { ExitCode, hasColour } from '../failure.js';
import { colourDiff, diffFolder } from '../folder-diff.js';
import { forecastJson, forecastOf, hasResults, printLines } from '../forecast.js';
import { refuseWhileJobsRun } from '../jobs/running-jobs.js';
import { reported } from '../reported.js';
import { uninterrupted } from '../uninterrupted.js';

interface CompileOptions extends WorkflowOptions {
  readonly out?: string;
  readonly check?: boolean;
  readonly force?: boolean;
  readonly budget?: number;
  readonly withOnnxruntime?: boolean;
}

/** `simwright compile`: writes the folder that is submitted. */
export function compileCommand(): Command {
  return takesWorkflow(new Command('compile'))
    .option('--out <dir>', 'the folder to write (default: NAME.simwright)')
    .option('--check', 'write nothing; fail if the folder is not up to date')
    .option('--force', 'overwrite files that were changed by hand, and a folder whose jobs run or wait')
    .addOption(budgetOption())
    .option('--with-onnxruntime', 'put ONNX Runtime into the folder, for clusters that have none')
    .action(
      reported(async (workflow: string, options: CompileOptions) => {
        const compiled = await compileWorkflow(workflow, options);
        const { plan, warnings } = compiled;
        keepBudget(plan, options.budget);
        const folder = resolve(options.out ?? defaultFolder(plan.experiment));
        const all = withRuntime(compiled, options.withOnnxruntime === true);
        if (!options.json) printWarnings(warnings);
        if (options.check) return checkFolder(folder, all, options);
        const doubts = options.force ? [] : await refuseWhileJobsRun(folder);
        if (!options.json) printWarnings(doubts);
        const rerun = hasResults(folder) ? forecastOf(plan, folder) : undefined;
        await uninterrupted(() => writeFolder(folder, all, { force: options.force === true }));
        const paths = all.map(({ path }) => path);
        if (options.json)
          return printJson({
            ok: true,
            folder,
            experiment: plan.experiment,
            site: plan.site,
            files: paths,
            problems: [...warnings, ...doubts],
            ...(rerun === undefined ? {} : { rerun: forecastJson(rerun) }),
          });
        const jobs = plan.jobs.map(({ script }) => `  ${script}`);
        const next = targets[plan.target].capabilities.oneNode ? 'run it' : 'submit it';
        const script = `${options.out ?? defaultFolder(plan.experiment)}/submit.sh`;
        process.stdout.write(`wrote ${folder}\n${jobs.join('\n')}\n${next}: ${quoteShellWord(script)}\n`);
        printLines(forecastLines(rerun ?? []));
      }),
    );
}

/**
 * The compiled files, with the runtime and, if asked for, ONNX Runtime. Where there are stores, with the Python workers as well: the models of
 * a plan may need none, and an application may bring others.
 */
export function withRuntime({ plan, files }: Pick<Compiled, 'plan' | 'files'>, onnxRuntime: boolean): OutputFile[] {
  const hasPython = plan.stores.length > 0 || plan.entities.some(({ ray }) => ray !== undefined);
  const workers = hasPython ? pythonFiles() : [];
  return [...files, ...runtimeFiles(), ...workers, ...(onnxRuntime ? onnxRuntimeFiles() : [])];
}

function checkFolder(folder: string, files: readonly OutputFile[], options: CompileOptions): void {
  const { same, text, added, changed, removed } = diffFolder(folder, files);
  if (!same) process.exitCode = ExitCode.workflowErrors;
  if (options.json) {
    printJson({ ok: same, folder, added, changed, removed });
    return;
  }
  if (same) {
    process.stdout.write(`${folder} is up to date\n`);
    return;
  }
  const lines = Object.entries({ added, changed, removed }).flatMap(([kind, paths]: [string, readonly string[]]) =>
    paths.map((path) => `  ${kind.padEnd(8)}${path}`),
  );
  process.stderr.write(`${hasColour(process.stderr) ? colourDiff(text) : text}\n\n`);
  process.stderr.write(
    `${folder} is not what the workflow compiles to:\n${lines.join('\n')}\nrun compile again without --check\n`,
  );
}
