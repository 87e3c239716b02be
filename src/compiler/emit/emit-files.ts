import { everybody, type Plan, restricted } from '../../ir/index.js';
import { targets } from '../../targets/registry.js';
import type { Artifact } from '../inspect/index.js';
import { formatPlan } from './format-plan.js';
import { jobScript } from './job-script.js';
import { submitScript } from './submit-script.js';

/** A file of a compiled experiment. `path` is relative to its folder; the content is in memory or in another file. */
export interface OutputFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string | { readonly bytes: Uint8Array } | { readonly file: string };
}

/**
 * The files of a compiled experiment, without the runtime: plan.json, submit.sh, jobs/ and the artifacts, sorted by path. Plan and scripts are
 * at most as open as `access`, the permission bits that all their sources have in common.
 *
 * @throws WorkflowError for a site's block, or a directive's value, that cannot be written.
 */
export function emitFiles(plan: Plan, artifacts: readonly Artifact[], access = everybody): OutputFile[] {
  const target = targets[plan.target];
  const [text, script] = [restricted(0o644, access), restricted(0o755, access)];
  const files: OutputFile[] = [
    { path: 'plan.json', mode: text, content: formatPlan(plan) },
    { path: 'submit.sh', mode: script, content: submitScript(plan, target) },
    ...plan.jobs.map((job) => ({ path: job.script, mode: script, content: jobScript(job, plan, target) })),
    ...artifacts.map(({ path, mode, content }) => ({ path, mode, content })),
  ];
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
