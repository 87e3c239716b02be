import { type LoadedSite, layerOfField } from '../../compiler/index.js';
import { engineNames, factFor, type Site, type SiteFact, type SiteSources } from '../../ir/index.js';
import { targets } from '../../targets/registry.js';
import { launcherOf, type Target } from '../../targets/target.js';

/** A field of a site as it is in force, and where its value comes from. */
export interface SiteField {
  readonly field: string;
  readonly value: unknown;
  /** `own`, `extends FILE`, `default`, or `default of SCHEDULER`. */
  readonly from: string;
  /** Reason that the site's sources give for the value, and the field that it is written at: this one, or an object around it. */
  readonly fact?: SiteFact & { readonly at: string };
}

/** Every field of a site but its sources, those that nobody has set included. */
export function siteFields({ site: { sources, ...site }, layers }: LoadedSite): SiteField[] {
  const rows = leavesOf(site, []).map(({ path, value }): SiteField => {
    const layer = layerOfField(layers, path);
    const from = layer === undefined ? 'default' : layer === layers[0] ? 'own' : `extends ${layer.what}`;
    const fact = sources === undefined ? undefined : factOf(path, sources, layers);
    return { field: path.join('.'), value, from, ...(fact === undefined ? {} : { fact }) };
  });
  const set = new Set(rows.flatMap(({ field }) => prefixes(field)));
  const nobodySays = sources === undefined ? [{ field: 'sources', value: 'none', from: 'default' }] : [];
  return [...rows, ...nobodySays, ...unset(site).filter(({ field }) => !set.has(field))].sort(byOrder);
}

/** The reason for a field's value: that of the layer that has set it. What another layer says is no reason for it. */
function factOf(path: readonly string[], sources: SiteSources, layers: LoadedSite['layers']): SiteField['fact'] {
  const at = factFor(sources, path);
  const fact = at === undefined ? undefined : sources.facts[at];
  if (at === undefined || fact === undefined) return undefined;
  return layerOfField(layers, path) === layerOfField(layers, ['sources', 'facts', at]) ? { ...fact, at } : undefined;
}

interface Leaf {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Values that are no objects, and objects without any. A value that nobody has set is none. */
function leavesOf(value: unknown, path: readonly string[]): Leaf[] {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, value }];
  const entries = Object.entries(value);
  return entries.length === 0 ? [{ path, value }] : entries.flatMap(([key, one]) => leavesOf(one, [...path, key]));
}

/** `a`, `a.b` and `a.b.c` of `a.b.c`. */
function prefixes(field: string): string[] {
  const keys = field.split('.');
  return keys.map((_, index) => keys.slice(0, index + 1).join('.'));
}

/** Fields that need not be set, with what holds then. */
function unset(site: Site): SiteField[] {
  const target: Target = targets[site.target];
  const ofTarget = (field: string, value: unknown): SiteField => ({ field, value, from: `default of ${target.name}` });
  const plain = (field: string, value: unknown): SiteField => ({ field, value, from: 'default' });
  return [
    ofTarget('launcher', launcherOf(target, site)),
    ...(Number.isFinite(target.capabilities.maxArraySize)
      ? [ofTarget('maxArraySize', target.capabilities.maxArraySize)]
      : []),
    ...(target.capabilities.gpus ? [ofTarget('gpuDialect', "the scheduler's usual way")] : []),
    plain('wrapper', 'none'),
    plain('engine', engineNames[0]),
    plain('redisai.module', 'RAI_PATH of the job'),
    plain('redisai.backends', "'backends' beside the module"),
    plain('redisai.server', 'REDIS_PATH of the job, else the first that is found'),
    ...['cores', 'gpus', 'gpuMaker', 'memoryMiB'].map((name) => plain(`node.${name}`, 'not known')),
    plain('node.threadsPerCore', 1),
    plain('node.schedulerCounts', 'cores'),
    plain('node.exclusive', false),
    plain('maxNodes', 'no limit'),
    ...['queue', 'account', 'qos', 'constraint', 'walltime'].map((name) => plain(`defaults.${name}`, 'none')),
    plain('networkInterface', "the address of the host's name"),
    plain('runtimePath', 'none'),
    plain('python', '$SIMWRIGHT_PYTHON of the job, else python3'),
  ];
}

/** Name and scheduler first, then what belongs together. */
const order = [
  'name',
  'target',
  'launcher',
  'launcherArgs',
  'gpuLauncherArgs',
  'gpuDialect',
  'wrapper',
  'node',
  'maxNodes',
];

function byOrder(one: SiteField, other: SiteField): number {
  const rank = ({ field }: SiteField) => {
    const at = order.indexOf(field.split('.')[0] ?? '');
    return at < 0 ? order.length : at;
  };
  return rank(one) - rank(other) || groupOf(one).localeCompare(groupOf(other), 'en');
}

/** Fields of one object stay together, in the order in which they were written. */
function groupOf({ field }: SiteField): string {
  return field.split('.')[0] ?? field;
}

/** A value as one line of text. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return value === '' ? '""' : value;
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return isEmpty ? 'none' : JSON.stringify(value);
}
