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
  }),
  clients: ({ server }) => ({ connected_clients: server.clients(), maxclients: server.limits.maxClients }),
  memory: ({ server, store }) => ({
    used_memory: store.usedBytes,
    used_memory_rss: process.memoryUsage.rss(),
    maxmemory: server.limits.maxMemoryBytes,
    maxmemory_policy: 'noeviction',
  }),
  persistence: ({ server }) => ({
    loading: 0,
    rdb_bgsave_in_progress: 0,
    rdb_last_save_time: Math.floor(server.startedAtMs / 1000),
  }),
  stats: ({ server }) => ({
    total_connections_received: server.connections(),
    total_commands_processed: server.requests(),
  }),
  replication: () => ({ role: 'master', connected_slaves: 0 }),
  ai_load_time_configs: ({ server, inference }) => ({
    ai_threads_per_queue: server.threads.perQueue,
    ai_inter_op_parallelism: server.threads.interOp,
    ai_intra_op_parallelism: server.threads.intraOp,
    ai_inferences: inference.runs,
  }),
  cluster: () => ({ cluster_enabled: 0 }),
  keyspace: ({ store }): Readonly<Record<string, string>> =>
    store.size === 0 ? {} : { db0: `keys=${store.size},expires=0,avg_ttl=0` },
};

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
