import { WorkflowError } from '../../diagnostics/index.js';
import { targets } from '../../targets/registry.js';
import type { Target } from '../../targets/target.js';
import type { JobFolder } from './folder.js';
import { type Asking, ask } from './scheduler.js';

/** Schedulers that give a verdict on a script without running it. */
export const judges: readonly string[] = (Object.values(targets) as Target[])
  .filter(({ queries }) => queries?.testOnly !== undefined)
  .map(({ name }) => name);

/** The scheduler's verdict on a job's script. */
export interface ScriptVerdict {
  readonly name: string;
  readonly accepted: boolean;
  /** In the scheduler's words: when and where it would run, or why not. */
  readonly says: string;
}

/**
 * Asks for the scheduler's verdict on each script, and submits nothing.
 *
 * @throws WorkflowError CLI1001 where the scheduler gives none.
 */
export async function testOnly({ plan, target }: JobFolder, asking: Asking): Promise<ScriptVerdict[]> {
  const words = target.queries?.testOnly;
  if (words === undefined) {
    throw new WorkflowError({
      code: 'CLI1001',
      message: `--test-only: ${target.name} gives no verdict on a script without running it`,
      hint: `${judges.join(' and ')} can say it; read the scripts in jobs/, and submit one of them by hand`,
    });
  }
  const verdicts: ScriptVerdict[] = [];
  for (const { name, script } of plan.jobs) {
    const { stderr, stdout, exitCode } = await ask(words(script), asking);
    verdicts.push({ name, accepted: exitCode === 0, says: [stderr, stdout].join('\n').trim() });
  }
  return verdicts;
}
