import type { Problem } from '../../diagnostics/index.js';
import { type Job, type Plan, submittersVariables, unsetVariables } from '../../ir/index.js';

/** A problem where the job's applications need variables of the submitter's that have not reached it. */
export function checkVariables(plan: Plan, { name, entities }: Job, env: NodeJS.ProcessEnv): Problem[] {
  const needed = submittersVariables({ entities: plan.entities.filter((one) => entities.includes(one.name)) });
  const unset = unsetVariables(needed, env);
  if (unset.length === 0) return [];
  return [
    {
      code: 'RUN1030',
      severity: 'error',
      message: `${unset.join(', ')} ${unset.length === 1 ? 'is' : 'are'} not set in job '${name}', and .env() takes ${unset.length === 1 ? 'it' : 'them'} from the submitter's environment`,
      hint: 'export the variables and submit with submit.sh; no directive (--export) may keep them out of the job',
    },
  ];
}
