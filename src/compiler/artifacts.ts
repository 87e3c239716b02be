import { everybody } from '../ir/index.js';
import { type Artifact, accessOf, bytesArtifact, type Facts, mergeArtifacts } from './inspect/index.js';
import type { Adds, Reads } from './passes/compilation.js';

/** Makes artifacts of the files that launchers read. */
export function makeLauncherFiles({ launcherTexts }: Reads<'launcherTexts'>): Adds<'launcherFiles'> {
  const files = [...launcherTexts].map(
    ([application, texts]) =>
      [
        application,
        Object.entries(texts).map(([to, text]) => ({ to, artifact: bytesArtifact(to, Buffer.from(text)) })),
      ] as const,
  );
  return { launcherFiles: new Map(files) };
}

/** The artifacts of a plan, each once, and the permission bits that all sources of the plan have in common. */
export function gatherArtifacts(
  { facts, launcherFiles }: Reads<'facts' | 'launcherFiles'>,
  sources: readonly string[],
): { readonly artifacts: readonly Artifact[]; readonly access: number } {
  const made = [...launcherFiles.values()].flat().map(({ artifact }) => artifact);
  const all = [...artifactsOf(facts), ...made];
  const modes = [...sources.map(accessOf), ...all.map(({ mode }) => mode)];
  return { artifacts: mergeArtifacts(all), access: modes.reduce((common, mode) => common & mode, everybody) };
}

function artifactsOf(facts: Facts): Artifact[] {
  const attached = [...facts.attached.values()].flat().flatMap((file) => {
    if (file.kind === 'directory') return [];
    if (file.kind === 'symlink') return typeof file.target === 'string' ? [] : [file.target];
    return [file.artifact];
  });
  return [...attached, ...[...facts.mlModels.values()].map(({ artifact }) => artifact), ...facts.scripts.values()];
}
