import { existsSync } from 'node:fs';
import { type Problem, WorkflowError } from '../diagnostics/index.js';
import { engines, type Plan, type Store } from '../ir/index.js';
import { findPrograms } from '../runtime/engine/redisai.js';
import { targets } from '../targets/registry.js';

/** A store that runs on a server, and the reason why none was found for it here. */
interface MissingEngine {
  readonly store: Store;
  readonly problem: WorkflowError;
  /** True if the lines of its job's script may bring what is missing. */
  readonly mayCome: boolean;
}

/**
 * Stores whose server or module is not found on this machine, in the order of the plan. A site whose own folder is not here either is of another
 * machine, which nobody can look at from here: nothing is said of it.
 */
async function missingEngines(plan: Plan, dir: string | undefined): Promise<MissingEngine[]> {
  const { runtimePath, redisai } = plan;
  if (runtimePath !== undefined && !existsSync(runtimePath)) return [];
  const stores = plan.stores.filter(({ engine }) => engines[engine].needsServer);
  const missing = stores.map(async (store): Promise<MissingEngine[]> => {
    const job = plan.jobs.find(({ stores: names }) => names.includes(store.name));
    const places = { runtimePath, dir, env: { ...process.env, ...job?.env } };
    try {
      await findPrograms(store, redisai, places);
      return [];
    } catch (error) {
      if (!(error instanceof WorkflowError)) throw error;
      const mayCome = [...(job?.modules ?? []), ...(job?.preamble ?? [])].length > 0;
      return [{ store, problem: error, mayCome }];
    }
  });
  return (await Promise.all(missing)).flat();
}

/** A warning for each store whose server or module is not on this machine, which may not be the one that it will run on. */
export async function engineDoubts(plan: Plan, dir: string | undefined): Promise<Problem[]> {
  const here = targets[plan.target].capabilities.oneNode;
  return (await missingEngines(plan, dir)).map(({ store, problem }) => {
    const [first = ''] = problem.message.split(/:?\n/);
    const where = here ? 'this machine' : 'this machine, if it is like those of the job,';
    return {
      code: 'STORE1008',
      severity: 'warning',
      message: `store '${store.name}' cannot run its engine '${store.engine}' on ${where} as it is: ${first}`,
      hint: `'simwright engine install' builds the module and finds a server; 'simwright doctor' shows what is there`,
      at: undefined,
    };
  });
}

/** Refuses to start jobs on this machine whose stores could not start. @throws WorkflowError RUN1040 */
export async function needEngines(plan: Plan, dir: string): Promise<void> {
  if (!targets[plan.target].capabilities.oneNode) return;
  const [first, ...rest] = (await missingEngines(plan, dir))
    .filter(({ mayCome }) => !mayCome)
    .flatMap(({ store, problem }) =>
      problem.problems.map((one) => ({ ...one, message: `store '${store.name}' cannot start: ${one.message}` })),
    );
  if (first !== undefined) throw new WorkflowError([first, ...rest]);
}
