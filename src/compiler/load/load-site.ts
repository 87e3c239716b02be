import { nearest, type Problem, type SourceLocation, WorkflowError } from '../../diagnostics/index.js';
import { Site, type SiteInput, siteFields } from '../../ir/index.js';
import { keyPlace } from './key-place.js';
import { layerOfFault, layersOf, mergeLayers, type SiteLayer, type SiteSource, startOf } from './site-layers.js';

/** A site, and the layers that it comes from: itself, then the one that it extends, and so on. */
export interface LoadedSite {
  readonly site: Site;
  readonly layers: readonly [SiteLayer, ...SiteLayer[]];
}

/**
 * A site by its name, from its file (`.json`, or TypeScript or JavaScript with a default export), or itself, with what it extends.
 *
 * @throws WorkflowError if there is no such site, or it is not as a site has to be.
 */
export async function loadSite(source: SiteSource, builtIn: readonly SiteInput[]): Promise<Site> {
  return (await loadLayeredSite(source, builtIn)).site;
}

/** The same with the layers. */
export async function loadLayeredSite(source: SiteSource, builtIn: readonly SiteInput[]): Promise<LoadedSite> {
  const layers = await layersOf(source, builtIn);
  const [{ what }] = layers;
  const checked = check(mergeLayers(layers));
  if (checked.site !== undefined) return { site: checked.site, layers };
  const problems = await Promise.all(
    checked.faults.map(async ({ path, ...fault }): Promise<Problem> => {
      const layer = layerOfFault(layers, fault.key ?? path);
      const message = problemText(layer.what, path, fault.message);
      const at = layer.file === undefined ? undefined : await keyPlace(layer.file, fault.key ?? path);
      return { ...problemOf(message, at ?? startOf(layer)), ...(fault.hint === undefined ? {} : { hint: fault.hint }) };
    }),
  );
  throw errorOf(problems, what, startOf(layers[0]));
}

/** @throws WorkflowError with every field that is wrong. */
export function checkSite(input: unknown, what: string, at: SourceLocation | undefined): Site {
  const { site, faults } = check(input);
  if (site !== undefined) return site;
  throw errorOf(
    faults.map(({ path, message, hint }) => ({
      ...problemOf(problemText(what, path, message), at),
      ...(hint === undefined ? {} : { hint }),
    })),
    what,
    at,
  );
}

/** Something wrong with a field. */
interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly hint?: string;
  /** Path of the key itself, where `path` is that of the object around it. */
  readonly key?: readonly PropertyKey[];
}

type Checked =
  | { readonly site: Site; readonly faults: readonly Fault[] }
  | { readonly site: undefined; readonly faults: readonly Fault[] };

function check(input: unknown): Checked {
  const result = Site.safeParse(input);
  if (result.success) return { site: result.data, faults: [] };
  const faults = result.error.issues.flatMap((issue): Fault[] => {
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: issue.message }];
    return issue.keys.map((key) => {
      const meant = issue.path.length === 0 ? nearest(key, siteFields) : undefined;
      const hint = meant === undefined ? {} : { hint: `did you mean '${meant}'?` };
      return { path: issue.path, message: `Unrecognized key: "${key}"`, key: [...issue.path, key], ...hint };
    });
  });
  return { site: undefined, faults };
}

function problemText(what: string, path: readonly PropertyKey[], message: string): string {
  return `${what}: ${path.length === 0 ? '' : `${path.map(String).join('.')}: `}${message}`;
}

function problemOf(message: string, at: SourceLocation | undefined): Problem {
  return { code: 'SITE1002', severity: 'error', message, at };
}

function errorOf(problems: readonly Problem[], what: string, at: SourceLocation | undefined): WorkflowError {
  const [first, ...rest] = problems;
  return first === undefined
    ? new WorkflowError({ code: 'SITE1002', message: what, at })
    : new WorkflowError([first, ...rest]);
}
