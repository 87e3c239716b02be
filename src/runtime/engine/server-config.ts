import { createHash } from 'node:crypto';
import type { OrchestratorOptions, TcpListen, UnixListen } from '../orchestrator/index.js';
import type { RedisAiModule } from './find-engine.js';

/** Settings of a server process. */
export interface ServerSettings {
  readonly tcp: TcpListen | undefined;
  readonly unix: UnixListen | undefined;
  /** Folder and name of the file that it saves to, and reads at its start if it is to bring that back. */
  readonly folder: string;
  readonly file: string;
  readonly module: string;
  /**
   * Its part in a cluster: the port of the bus, and the file that names all servers. In one with replicas the hosts and the names of all servers, whom the
   * bus is open to, and the password by which whoever holds the server may let it take over.
   */
  readonly cluster?:
    | {
        readonly busPort: number;
        readonly file: string;
        readonly replication?:
          | { readonly hosts: readonly string[]; readonly ids: readonly string[]; readonly password: string }
          | undefined;
      }
    | undefined;
  /** RedisAI, if it has the types and commands of the store. */
  readonly redisai?: RedisAiModule | undefined;
  /** Socket of the AI layer; undefined for a store without one. */
  readonly workerSocket: string | undefined;
  /** Process that the server ends with. */
  readonly holder: number;
  readonly options: Pick<
    OrchestratorOptions,
    | 'allow'
    | 'peerCheck'
    | 'maxClients'
    | 'maxMemoryBytes'
    | 'evictionPolicy'
    | 'maxBulkBytes'
    | 'threadsPerQueue'
    | 'interOpThreads'
    | 'intraOpThreads'
    | 'executionTimeoutSeconds'
  >;
}

/** Longest bulk string of a server unless an option says otherwise: SmartRedis sends models in chunks of at most 511 MiB. */
export const defaultBulkBytes = 4 * 1024 ** 3 - 1;

/** Seconds for which a client may leave much of what it has asked for unread. */
const slowSeconds = 120;

/**
 * Commands that no client of a job needs, and with which a stranger on an allowed host could reach beyond the store: loading code, following
 * another server, and ending this one.
 */
const forbidden = ['module', 'debug', 'shutdown', 'replicaof', 'slaveof', 'failover', 'migrate', 'acl', 'bgrewriteaof'];

/** Commands that would change who has which slots, on one server alone. */
const forbiddenInClusters = [
  ...['meet', 'forget', 'reset', 'replicate', 'failover', 'bumpepoch', 'set-config-epoch'],
  ...['addslots', 'addslotsrange', 'delslots', 'delslotsrange', 'flushslots', 'setslot'],
];

/** User of a server whom its holder commands it as. */
export const holderName = 'simwright';

/** Bytes of writes that are kept for a replica that has lost its connection for a moment. */
const backlogBytes = 64 * 1024 ** 2;

/** Milliseconds in which a server would count another one as failed: a generation. */
const unwatchedMs = 1_000_000_000_000;

/** The server's configuration, which it reads from its standard input: nothing of it is in a file or among its arguments. */
export function serverConfig(settings: ServerSettings): string {
  const { tcp, unix, folder, file, options, cluster } = settings;
  const bulkBytes = options.maxBulkBytes ?? defaultBulkBytes;
  const lines: (readonly (string | number)[])[] = [
    ['port', tcp?.port ?? 0],
    ...(tcp === undefined ? [] : [['bind', tcp.host]]),
    ...(unix === undefined
      ? []
      : [
          ['unixsocket', unix.path],
          ['unixsocketperm', unix.permissions.toString(8)],
        ]),
    // The module looks at each peer, whatever address it comes from.
    ['protected-mode', 'no'],
    ['daemonize', 'no'],
    ['databases', 1],
    ['dir', folder],
    ['dbfilename', file],
    ['save', ''],
    ['appendonly', 'no'],
    ['stop-writes-on-bgsave-error', 'no'],
    ['always-show-logo', 'no'],
    ['maxclients', (options.maxClients ?? 10_000) + 8],
    ['maxmemory', options.maxMemoryBytes ?? 0],
    ['maxmemory-policy', options.evictionPolicy ?? 'noeviction'],
    ['proto-max-bulk-len', bulkBytes],
    ['client-query-buffer-limit', bulkBytes + 1024 ** 2],
    ['client-output-buffer-limit', 'normal', ...outputLimit(bulkBytes)],
    ['client-output-buffer-limit', 'replica', ...outputLimit(bulkBytes)],
    [
      'user',
      'default',
      'on',
      'nopass',
      'sanitize-payload',
      '~*',
      '&*',
      '+@all',
      ...forbidden.map((name) => `-${name}`),
      ...(cluster === undefined ? [] : forbiddenInClusters.map((name) => `-cluster|${name}`)),
      '+module|list',
      // RedisAI would load any library that a client names.
      ...(settings.redisai === undefined ? [] : ['-ai.config', '+ai.config|get', '+ai.config|model_chunk_size']),
    ],
    ...(tcp === undefined || cluster === undefined ? [] : clusterLines(tcp, cluster)),
    // Ours first: nobody is served before it looks.
    ['loadmodule', settings.module, ...moduleOptions(settings, bulkBytes)],
    ...(settings.redisai === undefined ? [] : [['loadmodule', ...redisAiWords(settings.redisai, options)]]),
  ];
  return `${lines.map((words) => words.map(quoted).join(' ')).join('\n')}\n`;
}

/**
 * Replies that may wait for a client that does not read them, as the server takes it: bytes at which it loses its connection, bytes at
 * which it does after so many seconds, and these. Replies of two of the largest values are always let through.
 */
function outputLimit(bulkBytes: number): readonly number[] {
  return [2 * bulkBytes + 1024 ** 2, bulkBytes / 2, slowSeconds].map(Math.ceil);
}

/**
 * Lines of a server of a cluster. None counts as failed for being out of sight, and none takes over by itself: whoever holds the servers watches
 * them. Without replicas the module closes the bus; with them the servers tell each other there who has taken over.
 */
function clusterLines(
  tcp: TcpListen,
  { busPort, file, replication }: NonNullable<ServerSettings['cluster']>,
): (readonly (string | number)[])[] {
  return [
    ['cluster-enabled', 'yes'],
    ['cluster-config-file', file],
    ['cluster-port', busPort],
    ['cluster-announce-ip', tcp.host],
    ['cluster-node-timeout', unwatchedMs],
    ['cluster-replica-no-failover', 'yes'],
    ['cluster-allow-replica-migration', 'no'],
    ...(replication === undefined ? [] : replicationLines(replication.password)),
  ];
}

/** Lines of a server that has a replica, or is one: the first copy goes from memory to memory, at once. */
function replicationLines(password: string): (readonly (string | number)[])[] {
  const hash = createHash('sha256').update(password).digest('hex');
  return [
    ['user', holderName, 'on', `#${hash}`, '~*', '&*', '+@all'],
    ['repl-diskless-sync', 'yes'],
    ['repl-diskless-sync-delay', 0],
    ['repl-diskless-load', 'on-empty-db'],
    ['repl-backlog-size', backlogBytes],
    // Seconds between two signs of life to a replica.
    ['repl-ping-replica-period', 1],
    // Seconds for its replica to read the rest, when it is told to end.
    ['shutdown-timeout', 2],
  ];
}

/** RedisAI and its options, as SmartSim gives them; what it has a default of its own for is left to it. */
function redisAiWords({ module, backends }: RedisAiModule, options: ServerSettings['options']): (string | number)[] {
  const { threadsPerQueue, interOpThreads, intraOpThreads, executionTimeoutSeconds: seconds } = options;
  const named = {
    BACKENDSPATH: backends,
    THREADS_PER_QUEUE: threadsPerQueue,
    INTER_OP_PARALLELISM: interOpThreads,
    INTRA_OP_PARALLELISM: intraOpThreads,
    MODEL_EXECUTION_TIMEOUT: seconds === undefined ? undefined : seconds * 1000,
  };
  return [module, ...Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))];
}

function moduleOptions(
  { tcp, workerSocket, holder, redisai, options, cluster }: ServerSettings,
  bulkBytes: number,
): (string | number)[] {
  const { allow, peerCheck } = options;
  return [
    ...(workerSocket === undefined ? [] : ['socket', workerSocket]),
    ...(tcp === undefined ? [] : ['port', tcp.port]),
    ...(redisai === undefined ? [] : ['guards-only', 'yes']),
    ...['parent', holder, 'max-bulk-bytes', bulkBytes],
    ...(cluster === undefined ? [] : busOptions(cluster)),
    ...(peerCheck === false ? ['peer-check', 'no'] : []),
    ...(allow?.addresses ?? []).flatMap((address) => ['allow', address]),
    ...(allow?.folder === undefined ? [] : ['allow-folder', allow.folder]),
  ];
}

function busOptions({ busPort, replication }: NonNullable<ServerSettings['cluster']>): (string | number)[] {
  if (replication === undefined) return ['closed-bus-port', busPort];
  const { hosts, ids } = replication;
  return [
    ...['guarded-bus-port', busPort],
    ...[...new Set(hosts)].flatMap((host) => ['bus-peer', host]),
    ...ids.flatMap((id) => ['bus-server', id]),
  ];
}

/** A word as the server's configuration has it. */
function quoted(word: string | number): string {
  const text = String(word);
  if (/^[A-Za-z0-9._/:@~&*+|-]+$/.test(text)) return text;
  return `"${text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r')}"`;
}
