import { Command, Option } from 'commander';
import { printJson } from '../compile-workflow.js';
import { cancelJobs } from '../jobs/cancel-jobs.js';
import { jobsNamed, openFolder } from '../jobs/folder.js';
import { type TimeoutOption, takesTimeout } from '../jobs/options.js';
import { formerFolder } from '../jobs/running-jobs.js';
import { reported } from '../reported.js';

interface CancelOptions extends TimeoutOption {
  readonly job?: readonly string[];
  readonly json?: boolean;
}

/** `simwright cancel`: ends the jobs of a folder. */
export function cancelCommand(): Command {
  return takesTimeout(new Command('cancel'), 'seconds in which they have to end')
    .argument('<dir>', 'the folder that compile wrote')
    .option('--job <names...>', 'these jobs only (default: all that wait or run)')
    .addOption(new Option('--json', 'print one JSON document'))
    .action(
      reported(async (dir: string, options: CancelOptions) => {
        // Jobs may have been queued before Simwright was renewed.
        const folder = formerFolder(dir) ?? openFolder(dir);
        const jobs = jobsNamed(folder, options.job ?? []);
        const cancelled = await cancelJobs(folder, { jobs, timeoutSeconds: options.timeout });
        if (options.json) {
          printJson({ ok: true, folder: folder.dir, jobs: cancelled });
          return;
        }
        for (const { name, id, state } of cancelled) process.stdout.write(`${name}\t${id}\t${state}\n`);
        if (cancelled.length === 0) process.stderr.write('nothing to cancel: no job waits or runs\n');
      }),
    );
}
