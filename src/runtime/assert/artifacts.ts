import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../../diagnostics/index.js';
import type { Entity, Job, Plan, Store } from '../../ir/index.js';

/** Artifacts that are named one by one; of the rest the number is said. */
const named = 5;

/** Every artifact that the job's entities and stores need is there. */
export function checkArtifacts(dir: string, plan: Plan, job: Job): Problem[] {
  const uses = new Map([
    ...plan.stores.filter(({ name }) => job.stores.includes(name)).flatMap(storeArtifacts),
    ...plan.entities.filter(({ name }) => job.entities.includes(name)).flatMap(entityArtifacts),
  ]);
  const missing = [...uses].filter(([artifact]) => !existsSync(join(dir, artifact)));
  const hint = 'compile the workflow again, or copy the folder of plan.json as a whole';
  const problems = missing
    .slice(0, named)
    .map(([artifact, use]): Problem => problem(`${artifact}, which ${use}, is not there`, hint));
  const others = missing.length - problems.length;
  return others === 0 ? problems : [...problems, problem(`${others} more artifacts are not there`, hint)];
}

function problem(message: string, hint: string): Problem {
  return { code: 'RUN1007', severity: 'error', message, hint };
}

type Use = readonly [artifact: string, use: string];

function storeArtifacts({ name, mlModels, scripts }: Store): Use[] {
  return [
    ...mlModels.map((model): Use => [model.artifact, `is ML model '${model.name}' of store '${name}'`]),
    ...scripts.map((script): Use => [script.artifact, `is script '${script.name}' of store '${name}'`]),
  ];
}

function entityArtifacts({ name, files }: Entity): Use[] {
  return files.flatMap((file): Use[] => {
    if (file.kind === 'directory' || (file.kind === 'symlink' && !file.inPlan)) return [];
    return [[file.kind === 'symlink' ? file.target : file.artifact, `becomes ${file.to} of ${name}`]];
  });
}
