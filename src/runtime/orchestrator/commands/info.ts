import type { Command, CommandContext } from './command.js';
import { latin1 } from './words.js';

type Section = (context: CommandContext) => Readonly<Record<string, string | number>>;

const sections: Readonly<Record<string, Section>> = {
  server: ({ server }) => ({
    redis_version: '7.0.15',
    redis_mode: 'standalone',
    simwright_version: server.version,
    process_id: process.pid,
    run_id: server.runId,
    tcp_port: server.port(),
    uptime_in_seconds: Math.floor((Date.now() - server.startedAtMs) / 1000),
    uptime_in_days: Math.floor((Date.now() - server.startedAtMs) / 86_400_000),
  }),
  clients: ({ server }) => ({ connected_clients: server.clients().length, maxclients: server.limits.maxClients }),
  memory: ({ server: { settings }, store }) => ({
    used_memory: store.usedBytes,
    used_memory_human: human(store.usedBytes),
    used_memory_rss: process.memoryUsage.rss(),
    maxmemory: settings.maxMemoryBytes,
    maxmemory_human: human(settings.maxMemoryBytes),
    maxmemory_policy: settings.evictionPolicy,
  }),
  persistence: ({ server: { saving } }) => ({
    loading: 0,
    rdb_bgsave_in_progress: saving.inProgress ? 1 : 0,
    rdb_last_save_time: Math.floor(saving.lastMs / 1000),
    rdb_last_bgsave_status: saving.lastFailed ? 'err' : 'ok',
    aof_enabled: 0,
  }),
  stats: ({ server, store }) => ({
    total_connections_received: server.connections(),
    total_commands_processed: server.requests(),
    refused_connections: server.refused(),
    expired_keys: store.removals.expired,
    evicted_keys: store.removals.evicted,
  }),
  replication: () => ({ role: 'master', connected_slaves: 0 }),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return { used_cpu_sys: (system / 1e6).toFixed(6), used_cpu_user: (user / 1e6).toFixed(6) };
  },
  ai_versions: ({ server }) => ({
    ai_RedisAI_version: '1.2.7',
    ai_low_level_API_version: 1,
    ai_rdb_version: 4,
    ai_simwright_version: server.version,
  }),
  ai_load_time_configs: ({ server, inference }) => ({
    ai_threads_per_queue: server.threads.perQueue,
    ai_inter_op_parallelism: server.threads.interOp,
    ai_intra_op_parallelism: server.threads.intraOp,
    ai_model_execution_timeout: server.executionTimeoutMs,
    ai_backend_memory_limit: 0,
    ai_inferences: inference.requests,
    ai_runs: inference.runs,
  }),
  ai_backends_info: ({ server: { onnxRuntimeVersion } }): Readonly<Record<string, string>> =>
    onnxRuntimeVersion === undefined ? {} : { ai_onnxruntime_version: onnxRuntimeVersion },
  ai_cpu: () => {
    const { user, system } = process.cpuUsage();
    return { ai_self_used_cpu_sys: (system / 1e6).toFixed(6), ai_self_used_cpu_user: (user / 1e6).toFixed(6) };
  },
  cluster: () => ({ cluster_enabled: 0 }),
  keyspace: ({ store }): Readonly<Record<string, string>> =>
    store.size === 0 ? {} : { db0: `keys=${store.size},expires=${store.volatileSize},avg_ttl=0` },
};

function human(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  const power = Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(2)}${'BKMG'[power]}`;
}

const groups: ReadonlySet<string> = new Set(['all', 'everything', 'default']);

/** `INFO [section…]` */
export const info: Command = {
  name: 'info',
  arity: -1,
  flags: ['readonly'],
  keys: [0, 0, 0],
  run(context, words) {
    const asked = new Set(words.slice(1).map((word) => latin1(word).toLowerCase()));
    const all = asked.size === 0 || [...asked].some((name) => groups.has(name));
    const wanted = (title: string): boolean =>
      all || asked.has(title) || (title.startsWith('ai_') && asked.has('modules'));
    return Object.entries(sections)
      .filter(([title]) => wanted(title))
      .map(([title, section]) => sectionText(title, section(context)))
      .join('\r\n');
  },
};

function sectionText(title: string, fields: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}:${value}\r\n`);
  return `# ${title.charAt(0).toUpperCase()}${title.slice(1)}\r\n${lines.join('')}`;
}
