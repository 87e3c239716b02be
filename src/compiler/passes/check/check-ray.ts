import { type Problems, suggestion } from '../../../diagnostics/index.js';
import { applicationsOf, rayClustersOf } from '../../../ir/index.js';
import type { Reads } from '../compilation.js';

/** Entities use Ray clusters that are there, and do not wait for their ends; somebody uses each cluster. */
export function checkRay({ experiment }: Reads<'experiment'>, problems: Problems): void {
  const clusters = rayClustersOf(experiment);
  const applications = applicationsOf(experiment);
  const names = clusters.map(({ name }) => name);
  for (const { name, usesRay, after } of applications) {
    if (usesRay === undefined) continue;
    const call = `.usesRay('${usesRay.name}')`;
    if (!names.includes(usesRay.name)) {
      const hint = names.length === 0 ? "open one with .rayCluster('ray')" : suggestion(usesRay.name, names);
      problems.error('REF1001', `${call}: there is no Ray cluster of that name`, usesRay.at, hint);
    }
    const end = after.find((one) => one.kind === 'after' && one.name === usesRay.name && one.event !== 'started');
    if (end === undefined) continue;
    const message = `'${name}' would wait for the end of '${usesRay.name}', which ends only when '${name}' has ended`;
    problems.error('PLAN1013', message, end.at, `leave out this call: ${call} waits for its start`);
  }
  for (const { name, at } of clusters) {
    if (applications.some(({ usesRay }) => usesRay?.name === name)) continue;
    const message = `nobody uses Ray cluster '${name}', so it runs until the walltime of its job is over`;
    problems.warning('PLAN1014', message, at, `say .usesRay('${name}') of what uses it`);
  }
}
