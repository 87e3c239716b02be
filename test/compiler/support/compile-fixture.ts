import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Compiled, compile, type LoadedWorkflow, loadSite, loadWorkflow } from '../../../src/compiler/index.js';
import { type Site, TargetName } from '../../../src/ir/index.js';
import { builtInSites } from '../../../src/sites/built-in.js';
import { chosenNames } from '../../targets/support.js';

/** The repository's root. */
export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Every target. */
export const targetNames = TargetName.options;

/** Workflows with golden files: their names, and the folders they lie in. */
export const fixtures: readonly { readonly name: string; readonly folder: string }[] = [
  ...readdirSync(join(root, 'fixtures/workflows')).map((name) => ({
    name,
    folder: join(root, 'fixtures/workflows', name),
  })),
  ...['cavity', 'wall-model'].map((name) => ({ name, folder: join(root, 'examples', name) })),
];

/** The built-in sites, with the names that a site has to choose. */
const sites = builtInSites.map((site) => ({ ...site, ...chosenNames[site.target] }));

/** Workflows by their files: reading one takes four times as long as compiling it. */
const workflows = new Map<string, Promise<LoadedWorkflow>>();

/** Compiles a workflow's file for a site, as it is or as `change` makes it. A file is read once. */
export async function compileFile(
  file: string,
  site: string,
  change: (workflow: LoadedWorkflow, site: Site) => [LoadedWorkflow, Site] = (...both) => both,
): Promise<Compiled> {
  const reading = workflows.get(file) ?? loadWorkflow(file);
  workflows.set(file, reading);
  const [workflow, changed] = change(await reading, await loadSite(site, sites));
  return compile({ ...workflow, version: 'x.y.z' }, changed);
}

/** Files of a compiled experiment whose text lies in memory: plan and scripts. */
export function textsOf({ files }: Pick<Compiled, 'files'>): [path: string, text: string][] {
  return files.flatMap(({ path, content }) => (typeof content === 'string' ? [[path, content]] : []));
}
