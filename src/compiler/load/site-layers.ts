import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { type SourceLocation, suggestion, WorkflowError } from '../../diagnostics/index.js';
import type { SiteInput } from '../../ir/index.js';
import { loadModule } from './load-workflow.js';

/** A site as one author wrote it: the site itself, or one that it extends. */
export interface SiteLayer {
  /** Its name for messages: as the user named it, or its file. */
  readonly what: string;
  readonly file: string | undefined;
  /** Its fields, without `extends`. */
  readonly values: unknown;
}

/** A site, or the name or file of one. */
export type SiteSource = string | object;

/**
 * The layers of a site: itself, then the one that it extends, and so on.
 *
 * @throws WorkflowError for a site that is not there, cannot be read, or extends itself.
 */
export async function layersOf(
  source: SiteSource,
  builtIn: readonly SiteInput[],
  cwd = process.cwd(),
): Promise<[SiteLayer, ...SiteLayer[]]> {
  const seen = new Map<unknown, string>();
  const next = async (from: SiteSource, folder: string, by: SiteLayer | undefined): Promise<SiteLayer[]> => {
    const { layer, key, extended } = await layerOf(from, folder, builtIn, by);
    const chain = [...seen.values(), layer.what];
    if (seen.has(key)) {
      const [first, ...rest] = chain.slice([...seen.keys()].indexOf(key));
      const message = `${first} extends ${rest.join(', which extends ')}`;
      throw new WorkflowError({ code: 'SITE1003', message, at: startOf(by), hint: 'take one of these extends away' });
    }
    seen.set(key, layer.what);
    if (extended === undefined) return [layer];
    return [layer, ...(await next(extended, layer.file === undefined ? folder : dirname(layer.file), layer))];
  };
  return (await next(source, cwd, undefined)) as [SiteLayer, ...SiteLayer[]];
}

/** The first line of a layer's file. */
export function startOf(layer: Pick<SiteLayer, 'file'> | undefined): SourceLocation | undefined {
  return layer?.file === undefined ? undefined : { file: layer.file, line: 1, column: 1 };
}

async function layerOf(
  source: SiteSource,
  folder: string,
  builtIn: readonly SiteInput[],
  by: SiteLayer | undefined,
): Promise<{ readonly layer: SiteLayer; readonly key: unknown; readonly extended: SiteSource | undefined }> {
  const read = typeof source === 'string' ? await readSite(source, folder, builtIn, by) : { input: source };
  const { input, file, key = input } = read;
  if (!isRecord(input)) return { layer: { what: nameOf(source, file), file, values: input }, key, extended: undefined };
  const { extends: extended, ...values } = input;
  const layer = { what: nameOf(source, file, by), file, values };
  if (extended === undefined || typeof extended === 'string' || isRecord(extended)) return { layer, key, extended };
  const message = `${layer.what}: extends: the name of a site, its file, or the site itself`;
  throw new WorkflowError({ code: 'SITE1002', message, at: startOf(layer) });
}

function nameOf(source: SiteSource, file: string | undefined, by?: SiteLayer): string {
  if (typeof source !== 'string') {
    const { name } = source as { readonly name?: unknown };
    return typeof name === 'string' ? `site '${name}'` : 'a site';
  }
  if (file === undefined) return `site '${source}'`;
  if (by === undefined) return source;
  const near = relative(process.cwd(), file);
  return near.startsWith('..') ? file : near;
}

interface ReadSite {
  readonly input: unknown;
  readonly file?: string;
  readonly key?: unknown;
}

async function readSite(
  name: string,
  folder: string,
  builtIn: readonly SiteInput[],
  by: SiteLayer | undefined,
): Promise<ReadSite> {
  const known = builtIn.find((one) => one.name === name);
  if (known !== undefined) return { input: known };
  const at = startOf(by);
  const names = builtIn.map((one) => one.name);
  if (!/[./]/.test(name)) {
    const hint = `${suggestion(name, names)} (or name a site's file)`;
    throw new WorkflowError({ code: 'SITE1001', message: `there is no site '${name}'`, hint, at });
  }
  const file = resolve(folder, name);
  if (by !== undefined && !existsSync(file)) {
    const message = `${by.what} extends ${name}, and there is no file ${file}`;
    throw new WorkflowError({
      code: 'SITE1001',
      message,
      hint: 'a path starts at the folder of the file it is in',
      at,
    });
  }
  return { input: file.endsWith('.json') ? readJson(file) : await loadModule(file, 'site'), file, key: file };
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new WorkflowError({ code: 'SITE1001', message: `the site's file ${file} cannot be read`, cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `${file} is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new WorkflowError({ code: 'SITE1002', message, at: { file, line: 1, column: 1 }, cause });
  }
}

/**
 * The fields of all layers: objects are merged key by key; every other value, a list too, takes the place of the extended site's, and null
 * takes it away.
 */
export function mergeLayers(layers: readonly [SiteLayer, ...SiteLayer[]]): unknown {
  const values = layers.map((layer) => layer.values);
  return values.reduceRight((base, own) => (isRecord(base) ? mergeOver(base, own) : own));
}

function mergeOver(base: unknown, own: unknown): unknown {
  if (!isRecord(own)) return own;
  const merged = new Map<string, unknown>(isRecord(base) ? Object.entries(base) : []);
  for (const [key, value] of Object.entries(own)) {
    if (value === null) merged.delete(key);
    else if (value !== undefined) merged.set(key, mergeOver(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

/** The layer that says the value of a field; undefined if it is a default. */
export function layerOfField(layers: readonly SiteLayer[], path: readonly PropertyKey[]): SiteLayer | undefined {
  return layers.find(({ values }) => valueAt(values, path) !== undefined);
}

/** The layer in which a fault lies: the one that says the field, or else the object around it. */
export function layerOfFault(layers: readonly [SiteLayer, ...SiteLayer[]], path: readonly PropertyKey[]): SiteLayer {
  if (path.length === 0) return layers[0];
  return layerOfField(layers, path) ?? layerOfFault(layers, path.slice(0, -1));
}

function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    values,
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
