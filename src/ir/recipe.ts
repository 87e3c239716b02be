import { createHash } from 'node:crypto';
import { assignmentOf, memberParams, type Params } from './members.js';
import type { Entity, Plan } from './plan.js';
import { isSecretName } from './secret-names.js';

/**
 * Description of the work that an entity's members have in common, as texts by part: `command`, `arguments`, `prefixing`, `setup`, and
 * `file NAME`, `variable NAME`, `model NAME`, `script NAME`. Nodes, walltime, job, queue, sizes of stores, and the entities that it waits for or
 * reads from are no parts of it.
 */
export type Recipe = Readonly<Record<string, string>>;

/** The parts that all members of an entity share. Members added by hand have further parts: their commands and variables. */
function recipeOf(plan: Pick<Plan, 'stores'>, entity: Entity): Recipe {
  const parts: Record<string, string> = entity.commands.length === 1 ? commandPart(entity.commands[0]) : {};
  if (entity.asArgs.length > 0) parts['arguments'] = JSON.stringify(entity.asArgs);
  if (entity.keyPrefixing && entity.stores.length > 0) parts['prefixing'] = 'on';
  if (entity.setup !== undefined) parts['setup'] = JSON.stringify(entity.setup);
  for (const file of entity.files) parts[`file ${file.to}`] = fileText(file);
  Object.assign(parts, variableParts(entity.env));
  const stores = plan.stores.filter(({ name }) => entity.stores.includes(name));
  for (const name of entity.mlModels) {
    const found = stores.flatMap(({ mlModels }) => mlModels.filter((model) => model.name === name));
    const texts = found.map(({ artifact, backend, inputs, outputs }) => [artifact, backend, inputs, outputs]);
    parts[`model ${name}`] = JSON.stringify(unique(texts));
  }
  for (const name of entity.scripts) {
    const found = stores.flatMap(({ scripts }) => scripts.filter((script) => script.name === name));
    parts[`script ${name}`] = JSON.stringify(unique(found.map(({ artifact }) => artifact)));
  }
  return sorted(parts);
}

/** The parts of one member: those of its entity, and its own command and variables if it was added by hand. */
function memberRecipe(entity: Entity, common: Recipe, index: number): Recipe {
  const assignment = assignmentOf(entity.members, index);
  const command = entity.commands.length > 1 ? commandPart(entity.commands[assignment]) : {};
  const variables = variableParts(entity.memberEnv?.[assignment] ?? {});
  return sorted({ ...common, ...variables, ...command });
}

/** Digest of a member's work. It does not depend on the index: replicas have the same digest. */
export function memberDigest(plan: Pick<Plan, 'stores'>, entity: Entity, index: number): string {
  return digestsOf(plan, entity).of(index);
}

/** The recipe of an entity, of which its digests are made. */
export function entityRecipe(plan: Pick<Plan, 'stores'>, entity: Entity): Recipe {
  return digestsOf(plan, entity).recipe;
}

/** Digests by entity. An entity belongs to one plan, and plans do not change. */
const known = new WeakMap<Entity, Digests>();

function digestsOf(plan: Pick<Plan, 'stores'>, entity: Entity): Digests {
  let digests = known.get(entity);
  if (digests === undefined) {
    digests = new Digests(recipeOf(plan, entity), entity);
    known.set(entity, digests);
  }
  return digests;
}

/** Digests of an entity's members, computed on demand. */
class Digests {
  readonly #entity: Entity;
  readonly #start: string;
  readonly #byAssignment: string[] = [];

  constructor(
    readonly recipe: Recipe,
    entity: Entity,
  ) {
    this.#entity = entity;
    this.#start = hashText(JSON.stringify(recipe));
  }

  of(index: number): string {
    const { members, commands, memberEnv } = this.#entity;
    const assignment = assignmentOf(members, index);
    const before = this.#byAssignment[assignment];
    if (before !== undefined) return before;
    const isByHand = commands.length > 1 || memberEnv !== undefined;
    const own = isByHand ? JSON.stringify(memberRecipe(this.#entity, {}, index)) : '';
    const digest = hashText(`${this.#start}\n${paramsText(memberParams(members, index))}\n${own}`);
    this.#byAssignment[assignment] = digest;
    return digest;
  }
}

/** First 16 hexadecimal digits of a text's SHA-256. */
export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Variables that hold a member's index: alone, or in its name or directory. */
export const ownNumberVariables = ['SIMWRIGHT_MEMBER', 'SIMWRIGHT_NAME', 'SIMWRIGHT_DIR', 'SIMWRIGHT_ARRAY_INDEX'];

/** Reason why an entity's members depend on their index, in words that follow "whose"; `undefined` if they do not. */
export function whyNumberMatters(entity: Entity): string | undefined {
  const words = entity.commands.flat().flatMap((program) => program.words);
  const placeholder = words.find((word) => word === '{name}' || word === '{dir}');
  if (placeholder !== undefined) return `command holds ${placeholder}`;
  const ofMembers = [entity.env, ...(entity.memberEnv ?? [])].flatMap((env) => Object.values(env).map(String));
  const isNamed = (texts: readonly string[]) => (variable: string) => texts.some((text) => text.includes(variable));
  const inCommand = ownNumberVariables.find(isNamed(words));
  if (inCommand !== undefined) return `command holds ${inCommand}`;
  const inEnvironment = ownNumberVariables.find(isNamed(ofMembers));
  if (inEnvironment !== undefined) return `environment holds ${inEnvironment}`;
  if (entity.numberIn !== undefined) return `file ${entity.numberIn} reads their number`;
  if (entity.keyPrefixing && entity.stores.length > 0) return 'keys in the store begin with their name';
  return undefined;
}

function commandPart(programs: Entity['commands'][number] = []): Record<string, string> {
  return { command: JSON.stringify(programs.map(({ words, tasks }) => [tasks, ...words])) };
}

function variableParts(env: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      // A secret is compared by its hash and never shown.
      return [`variable ${name}`, isSecretName(name) ? `hash ${hashText(`${name}=${text}`)}` : text];
    }),
  );
}

/** A text that identifies a staged file. The path of an artifact identifies its content. */
function fileText(file: Entity['files'][number]): string {
  switch (file.kind) {
    case 'directory':
      return 'directory';
    case 'symlink':
      return JSON.stringify(['symlink', file.target]);
    case 'copy':
      return JSON.stringify(['copy', contentOf(file.artifact), file.mode]);
    case 'configure':
      return JSON.stringify(['configure', contentOf(file.artifact), file.mode, file.tag]);
  }
}

/** The hash in `artifacts/HASH-NAME`, so that a file with another name and the same content is the same. */
function contentOf(artifact: string): string {
  return /^artifacts\/([0-9a-f]{16})-/.exec(artifact)?.[1] ?? artifact;
}

/** A text that identifies parameters. It tells numbers from texts, as params.json does. */
function paramsText(params: Params): string {
  return Object.keys(params)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${typeof params[name]}:${JSON.stringify(String(params[name]))}`)
    .join();
}

function sorted(parts: Record<string, string>): Recipe {
  return Object.fromEntries(Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function unique(items: readonly unknown[]): unknown[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
