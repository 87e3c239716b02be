import type { Decision, Decisions, Reason } from './decide.js';
import { summarizeDecisions } from './describe.js';
import type { Upstream } from './upstream.js';

/** Text on what is new with an ensemble or a model that another reads, and how many of its members that is about. */
interface News {
  readonly text: string | undefined;
  readonly explains: number;
}

/** Most reasons that are told of one input. */
const mostReasons = 2;

/** News from what is about to happen to an input: it says best why. */
export function newsOf(
  { members, leftovers }: Decisions,
  { entity, index, byOutcome }: Upstream,
  isChosen: (index: number) => boolean,
): News {
  const changing = members.flatMap((one): Decision[] => {
    const reason = one.reason ?? one.kept;
    return reason !== undefined && changesVersion(reason, byOutcome) ? [{ ...one, reason }] : [];
  });
  const { groups, removed, total } = summarizeDecisions({ members: changing, leftovers }, (one) =>
    index === undefined ? isChosen(one) : one === index,
  );
  const isOne = index !== undefined || entity.kind === 'model';
  const news = groups.slice(0, mostReasons).map(({ why, indices }) => (isOne ? why : `${indices.length} ${why}`));
  if (groups.length > mostReasons) news.push('…');
  if (removed > 0 && !isOne) news.push(`${removed} gone`);
  return { text: news.length === 0 ? undefined : news.join('; '), explains: total };
}

/** False of a reason for which a member does the same again. */
function changesVersion({ kind }: Reason, byOutcome: boolean): boolean {
  if (kind === 'failed' || kind === 'interrupted') return byOutcome;
  return kind === 'new' || kind === 'changed' || kind === 'inputs' || kind === 'renumbered';
}

/** An input at one moment: its version, and its members as `INDEX:VERSION` where they are on record. */
interface InputVersion {
  readonly version: string | undefined;
  readonly members: readonly string[] | undefined;
}

/** Compares an input with what it was when it was read. `count` members has it by now, chosen or not. */
export function compareInput(before: InputVersion, now: InputVersion, count: number) {
  const [then, outcome] = splitVersion(before.version);
  const [current, currentOutcome] = splitVersion(now.version);
  if (then === current && outcome !== currentOutcome) return { text: 'other members succeeded', differing: 0 };
  if (before.members === undefined || now.members === undefined) return { text: undefined, differing: 0 };
  const former = indexed(before.members);
  const present = indexed(now.members);
  const rest = [...present].filter(([index, version]) => former.get(index) !== version || !former.delete(index));
  const places = new Map<string, number[]>();
  for (const [index, version] of former) places.set(version, [...(places.get(version) ?? []), index]);
  const others = rest.filter(([, version]) => {
    const from = places.get(version)?.pop();
    return from === undefined || !former.delete(from);
  });
  const renumbered = rest.length - others.length;
  const changed = others.filter(([index]) => former.delete(index)).length;
  const leftOut = [...former.keys()].filter((index) => index < count && !present.has(index)).length;
  const gone = former.size - leftOut;
  const counts = { new: others.length - changed, changed, renumbered, gone, 'left out': leftOut };
  const parts = Object.entries(counts).flatMap(([what, number]) => (number === 0 ? [] : [`${number} ${what}`]));
  return { text: parts.length === 0 ? undefined : parts.join('; '), differing: others.length + leftOut };
}

/** The version itself, and which members had not succeeded. */
function splitVersion(version = ''): readonly [string, string] {
  const [own = '', outcome = ''] = version.split('!');
  return [own, outcome];
}

function indexed(members: readonly string[]): Map<number, string> {
  return new Map(
    members.map((one) => {
      const at = one.indexOf(':');
      return [Number(one.slice(0, at)), one.slice(at + 1)];
    }),
  );
}
