import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { suggestion, WorkflowError } from '../../diagnostics/index.js';
import { type Entity, type Job, Plan, planVersion, type Store } from '../../ir/index.js';

/** Reads DIR/plan.json. Throws RUN1001 if it cannot be read, PLAN1004 if it is no plan of this version. */
export function readPlan(dir: string): Plan {
  const path = join(dir, 'plan.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new WorkflowError({
      code: 'RUN1001',
      message: `there is no readable plan.json in ${dir}`,
      hint: 'submit the scripts from the folder that compile wrote',
      cause: error,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw unreadable(`${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const version = z.looseObject({ version: z.number() }).safeParse(json);
  if (version.success && version.data.version !== planVersion) {
    throw unreadable(`${path} has version ${version.data.version}; this runtime reads version ${planVersion}`);
  }
  const plan = Plan.safeParse(json);
  if (!plan.success) throw unreadable(`${path} does not fit its schema:\n${z.prettifyError(plan.error)}`);
  return plan.data;
}

function unreadable(message: string): WorkflowError {
  return new WorkflowError({ code: 'PLAN1004', message, hint: 'compile the workflow again' });
}

/** The job of that name. Throws RUN1012. */
export function jobOf(plan: Plan, name: string): Job {
  return find(plan.jobs, name, 'job');
}

/** The store of that name. Throws RUN1012. */
export function storeOf(plan: Plan, name: string): Store {
  return find(plan.stores, name, 'store');
}

/** The job that a store runs in. Throws RUN1012. */
export function jobOfStore(plan: Plan, store: string): Job {
  const job = plan.jobs.find(({ stores }) => stores.includes(store));
  return job ?? jobOf(plan, store);
}

/** True if a store has a job to itself, and serves others. */
export function hasOwnJob(plan: Plan, store: string): boolean {
  return plan.jobs.some(({ stores, entities }) => stores.includes(store) && entities.length === 0);
}

/** The model or ensemble of that name. Throws RUN1012. */
export function entityOf(plan: Plan, name: string): Entity {
  return find(plan.entities, name, 'model or ensemble');
}

function find<Item extends { readonly name: string }>(items: readonly Item[], name: string, kind: string): Item {
  const item = items.find((candidate) => candidate.name === name);
  if (item !== undefined) return item;
  throw new WorkflowError({
    code: 'RUN1012',
    message: `plan.json has no ${kind} '${name}'`,
    hint: suggestion(
      name,
      items.map((candidate) => candidate.name),
    ),
  });
}
