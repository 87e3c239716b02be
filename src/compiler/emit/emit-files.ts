import type { Plan } from '../../ir/index.js';
import type { Artifact } from '../inspect/index.js';
import { jobScript, type ScriptInput } from './job-script.js';
import { submitScript } from './submit-script.js';

/** One file of a compiled experiment. `path` is relative to its folder; bytes lie in memory or in the file they come from. */
export interface OutputFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string | { readonly bytes: Uint8Array } | { readonly file: string };
}

/** Everything but the runtime itself: plan.json, submit.sh, jobs/, artifacts/. Sorted by path. */
export function emitFiles(input: ScriptInput, artifacts: readonly Artifact[]): OutputFile[] {
  const { plan } = input;
  const files: OutputFile[] = [
    { path: 'plan.json', mode: 0o644, content: formatPlan(plan) },
    { path: 'submit.sh', mode: 0o755, content: submitScript(input) },
    ...plan.jobs.map((job) => ({ path: job.script, mode: 0o755, content: jobScript(job, input) })),
    ...new Map(artifacts.map((one) => [one.path, { path: one.path, mode: 0o644, content: one.content }])).values(),
  ];
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** plan.json as a person can read it in a diff. */
function formatPlan(plan: Plan): string {
  return `${JSON.stringify(plan, null, 2)}\n`;
}
