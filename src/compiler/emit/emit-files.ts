import { everybody, type Plan, restricted } from '../../ir/index.js';
import type { Artifact } from '../inspect/index.js';
import { jobScript, type ScriptInput } from './job-script.js';
import { submitScript } from './submit-script.js';

/** One file of a compiled experiment. `path` is relative to its folder; bytes lie in memory or in the file they come from. */
export interface OutputFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string | { readonly bytes: Uint8Array } | { readonly file: string };
}

/**
 * Everything but the runtime itself: plan.json, submit.sh, jobs/, artifacts/. Sorted by path. Nobody can read plan and scripts who may not read
 * the files they were made from, which are open to `access`.
 */
export function emitFiles(input: ScriptInput, artifacts: readonly Artifact[], access = everybody): OutputFile[] {
  const { plan } = input;
  const [text, script] = [restricted(0o644, access), restricted(0o755, access)];
  const files: OutputFile[] = [
    { path: 'plan.json', mode: text, content: formatPlan(plan) },
    { path: 'submit.sh', mode: script, content: submitScript(input) },
    ...plan.jobs.map((job) => ({ path: job.script, mode: script, content: jobScript(job, input) })),
    ...artifacts.map(({ path, mode, content }) => ({ path, mode, content })),
  ];
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** plan.json as a person can read it in a diff. */
function formatPlan(plan: Plan): string {
  return `${JSON.stringify(plan, null, 2)}\n`;
}
