import {
  assignmentOf,
  type Entity,
  type EnvValue,
  hasNumbers,
  memberName,
  type Plan,
  type Store,
  sizeOfMember,
} from '../../ir/index.js';
import { queriesOf } from '../../targets/schedulers.js';
import { MemberSelection } from '../job/member-selection.js';
import type { SeenStore } from './store-addresses.js';

/** Milliseconds of silence after which a SmartRedis client gives up: its own default, 250, is less than many inferences take. */
const socketTimeoutMs = 60_000;

/** One member, as its environment describes it. */
export interface MemberPlace {
  readonly index: number;
  /** Absolute path of its directory. */
  readonly directory: string;
  /** Folder of Python packages that its programs find after their own. */
  readonly pythonPackages?: string | undefined;
}

/**
 * The variables that an application gets beside those of the job: where its stores are, its keys' prefixes, who it is, and the
 * user's own, which win.
 */
export function memberEnvironment(
  plan: Plan,
  entity: Entity,
  stores: readonly SeenStore[],
  member: MemberPlace,
  jobEnv: NodeJS.ProcessEnv,
): Record<string, string> {
  const name = memberName(entity, member.index);
  const sources = incomingNames(plan, entity, member.index, MemberSelection.parse(jobEnv['SIMWRIGHT_MEMBERS']));
  const own: Record<string, string> = {
    PWD: member.directory,
    SIMWRIGHT_DIR: member.directory,
    SIMWRIGHT_NAME: name,
    SIMWRIGHT_MEMBER: String(member.index),
  };
  // On this machine a program may use what nothing else does; in a job it would take the others' share, or the node's threads in every task.
  // Ray gives each of its workers the threads of its task, unless it finds the variable.
  const isRay = entity.ray !== undefined;
  if (!isRay && queriesOf[plan.target] !== undefined && jobEnv['OMP_NUM_THREADS'] === undefined) {
    own['OMP_NUM_THREADS'] = String(sizeOfMember(entity, member.index).cpusPerTask);
  }
  for (const { store, address } of stores) {
    const suffixed = (variable: string) => (store.suffix === '' ? variable : `${variable}_${store.suffix}`);
    own[suffixed('SSDB')] = address;
    own[suffixed('SR_DB_TYPE')] = clientKind(store);
    own[suffixed('SR_SOCKET_TIMEOUT')] = jobEnv[suffixed('SR_SOCKET_TIMEOUT')] ?? String(socketTimeoutMs);
    if (sources.length > 0) own[suffixed('SSKEYIN')] = sources.join(',');
    if (entity.keyPrefixing) own[suffixed('SSKEYOUT')] = name;
  }
  const ofMember = entity.memberEnv?.[assignmentOf(entity.members, member.index)];
  const users = resolved({ ...entity.env, ...ofMember }, jobEnv);
  return { ...own, ...users, ...pythonPath(users['PYTHONPATH'] ?? jobEnv['PYTHONPATH'], member.pythonPackages) };
}

/** The kind of a store, as clients have to be told it. */
export function clientKind(store: Store): 'Clustered' | 'Standalone' {
  return store.kind === 'standalone' && store.shards > 1 ? 'Clustered' : 'Standalone';
}

function pythonPath(given: string | undefined, packages: string | undefined): Readonly<Record<string, string>> {
  if (packages === undefined) return {};
  return { PYTHONPATH: given === undefined || given === '' ? packages : `${given}:${packages}` };
}

/** Variables with the values of those that stand for the submitter's; that these are set has been checked. */
function resolved(variables: Readonly<Record<string, EnvValue>>, jobEnv: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : (jobEnv[value.fromEnvironment] ?? ''),
    ]),
  );
}

/** Prefixes that a member may read: those it names, an ensemble by all its members that run; its own name is the member itself. */
function incomingNames(plan: Plan, entity: Entity, index: number, chosen = MemberSelection.all): string[] {
  return entity.incoming.flatMap((incoming) => {
    if (incoming === entity.name) return memberName(entity, index);
    const source = plan.entities.find((candidate) => candidate.name === incoming);
    if (source === undefined || !hasNumbers(source)) return incoming;
    const all = Array.from({ length: source.members.count }, (_, other) => other);
    return all.filter((other) => chosen.has(source.name, other)).map((other) => memberName(source, other));
  });
}
