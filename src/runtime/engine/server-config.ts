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
  /** Its part in a cluster: the port of the bus, and the file that names all servers. */
  readonly cluster?: { readonly busPort: number; readonly file: string } | undefined;
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
 * Lines of a server of a cluster. Without replicas nobody takes over from anybody: servers need not watch each other, the module closes the bus, and
 * none counts as failed for being out of sight. Whoever holds the servers watches them.
 */
function clusterLines(tcp: TcpListen, { busPort, file }: { readonly busPort: number; readonly file: string }) {
  return [
    ['cluster-enabled', 'yes'],
    ['cluster-config-file', file],
    ['cluster-port', busPort],
    ['cluster-announce-ip', tcp.host],
    ['cluster-node-timeout', unwatchedMs],
    ['cluster-replica-no-failover', 'yes'],
    ['cluster-allow-replica-migration', 'no'],
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
    ...(cluster === undefined ? [] : ['closed-bus-port', cluster.busPort]),
    ...(peerCheck === false ? ['peer-check', 'no'] : []),
    ...(allow?.addresses ?? []).flatMap((address) => ['allow', address]),
    ...(allow?.folder === undefined ? [] : ['allow-folder', allow.folder]),
  ];
}

/** A word as the server's configuration has it. */
function quoted(word: string | number): string {
  const text = String(word);
  if (/^[A-Za-z0-9._/:@~&*+|-]+$/.test(text)) return text;
  return `"${text.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r')}"`;
}
