import { readFileSync } from 'node:fs';
import { arch, release, type as systemName, totalmem } from 'node:os';
import type { BackendName } from '../../../ml/backends.js';
import { VerbatimReply } from '../resp/reply.js';
import type { Command, CommandContext } from './command.js';
import { aiModule, redisVersion } from './session.js';
import { latin1 } from './words.js';
import { residentBytes, workerText } from './worker-facts.js';

type Fields = Readonly<Record<string, string | number>>;
/** Libraries by backend, as RedisAI names their versions. */
const libraries: Readonly<Record<BackendName, string>> = {
  ONNX: 'onnxruntime',
  TORCH: 'libtorch',
  TF: 'tensorflow',
  TFLITE: 'tensorflow_lite',
};

type Section = (context: CommandContext) => Fields;

const clockTicks = 100;

/** Sections of Redis, then RedisAI's. */
const sections: Readonly<Record<string, Section>> = {
  server: ({ server }) => ({
    redis_version: redisVersion,
    redis_git_sha1: '00000000',
    redis_git_dirty: 0,
    redis_mode: 'standalone',
    simwright_version: server.version,
    os: `${systemName()} ${release()} ${arch()}`,
    arch_bits: 64,
    multiplexing_api: 'epoll',
    process_id: process.pid,
    run_id: server.runId,
    tcp_port: server.port(),
    server_time_usec: Math.floor((performance.timeOrigin + performance.now()) * 1000),
    uptime_in_seconds: Math.floor((Date.now() - server.startedAtMs) / 1000),
    uptime_in_days: Math.floor((Date.now() - server.startedAtMs) / 86_400_000),
    executable: process.execPath,
    config_file: '',
  }),
  clients: ({ server, blocked }) => ({
    connected_clients: server.clients().length,
    cluster_connections: 0,
    maxclients: server.limits.maxClients,
    blocked_clients: blocked.count,
    tracking_clients: 0,
  }),
  memory: ({ server: { settings }, keyspace, inference }) => {
    const { rss } = process.memoryUsage();
    return {
      used_memory: keyspace.usedBytes,
      used_memory_human: human(keyspace.usedBytes),
      used_memory_rss: rss,
      used_memory_rss_human: human(rss),
      used_memory_peak: keyspace.peakBytes,
      used_memory_peak_human: human(keyspace.peakBytes),
      used_memory_dataset: keyspace.usedBytes,
      used_memory_workers_rss: residentBytes(inference.workers),
      total_system_memory: totalmem(),
      total_system_memory_human: human(totalmem()),
      maxmemory: settings.maxMemoryBytes,
      maxmemory_human: human(settings.maxMemoryBytes),
      maxmemory_policy: settings.evictionPolicy,
      mem_fragmentation_ratio: (rss / Math.max(1, keyspace.usedBytes)).toFixed(2),
      mem_allocator: 'libc',
    };
  },
  persistence: ({ server: { saving } }) => ({
    loading: 0,
    async_loading: 0,
    rdb_changes_since_last_save: saving.unsavedChanges,
    rdb_bgsave_in_progress: saving.inProgress ? 1 : 0,
    rdb_last_save_time: Math.floor(saving.lastMs / 1000),
    rdb_last_bgsave_status: saving.lastFailed ? 'err' : 'ok',
    aof_enabled: 0,
    aof_rewrite_in_progress: 0,
    aof_rewrite_scheduled: 0,
  }),
  stats: ({ server, keyspace }) => ({
    total_connections_received: server.connections(),
    total_commands_processed: server.requests(),
    refused_connections: server.refused(),
    expired_keys: keyspace.removals.expired,
    evicted_keys: keyspace.removals.evicted,
    pubsub_channels: 0,
    pubsub_patterns: 0,
  }),
  replication: ({ server }) => ({
    role: 'master',
    connected_slaves: 0,
    master_failover_state: 'no-failover',
    master_replid: server.runId,
    master_replid2: '0'.repeat(40),
    master_repl_offset: 0,
    second_repl_offset: -1,
    repl_backlog_active: 0,
  }),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    const main = mainThreadSeconds();
    return {
      used_cpu_sys: seconds(system / 1e6),
      used_cpu_user: seconds(user / 1e6),
      used_cpu_sys_children: seconds(0),
      used_cpu_user_children: seconds(0),
      used_cpu_sys_main_thread: seconds(main.system),
      used_cpu_user_main_thread: seconds(main.user),
    };
  },
  modules: () => ({
    module: `name=${aiModule.name},ver=${aiModule.version},api=1,filters=0,usedby=[],using=[],options=[]`,
  }),
  // One of one shard, which clients for clusters ask for.
  cluster: () => ({ cluster_enabled: 1 }),
  keyspace: ({ keyspace }): Fields =>
    keyspace.size === 0 ? {} : { db0: `keys=${keyspace.size},expires=${keyspace.volatileSize},avg_ttl=0` },
  ai_versions: () => ({ ai_RedisAI_version: '1.2.7', ai_low_level_API_version: 1, ai_rdb_version: 4 }),
  ai_git: ({ server }) => ({ ai_git_sha: `simwright-${server.version}` }),
  ai_load_time_configs: ({ server }) => ({
    ai_threads_per_queue: server.threads.perQueue,
    ai_inter_op_parallelism: server.threads.interOp,
    ai_intra_op_parallelism: server.threads.intraOp,
    ai_model_execution_timeout: server.executionTimeoutMs,
    ai_backend_memory_limit: 0,
  }),
  ai_backends_info: ({ server: { onnxRuntimeVersion }, inference }): Fields => ({
    ...Object.fromEntries(
      inference.workers.flatMap(({ framework, version }) =>
        version === undefined ? [] : [[`ai_${libraries[framework]}_version`, version]],
      ),
    ),
    ...(onnxRuntimeVersion !== undefined && { ai_onnxruntime_version: onnxRuntimeVersion }),
  }),
  ai_workers: ({ inference: { workers } }): Fields => ({
    ai_workers: workers.length,
    ai_workers_resident_bytes: residentBytes(workers),
    ...Object.fromEntries(workers.map((worker, index) => [`ai_worker_${index}`, workerText(worker)])),
  }),
  ai_cpu: ({ server, inference }) => {
    const { user, system } = process.cpuUsage();
    const main = mainThreadSeconds();
    return {
      ai_self_used_cpu_sys: seconds(system / 1e6),
      ai_self_used_cpu_user: seconds(user / 1e6),
      ai_children_used_cpu_sys: seconds(0),
      ai_children_used_cpu_user: seconds(0),
      ai_main_thread_used_cpu_sys: seconds(main.system),
      ai_main_thread_used_cpu_user: seconds(main.user),
      ...Object.fromEntries(
        inference.devices.flatMap((device) =>
          Array.from({ length: server.threads.perQueue }, (_, index) => [
            `ai_queue_${device}_bthread_n${index + 1}_used_cpu_total`,
            'N/A',
          ]),
        ),
      ),
    };
  },
  ai_simwright: ({ server, inference }) => ({
    ai_simwright_version: server.version,
    ai_inferences: inference.requests,
    ai_runs: inference.runs,
  }),
};

function seconds(value: number): string {
  return value.toFixed(6);
}

/** CPU time of the thread that answers. */
function mainThreadSeconds(): { user: number; system: number } {
  const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'latin1');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return { user: (user ?? 0) / clockTicks, system: (system ?? 0) / clockTicks };
}

function human(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  const power = Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(2)}${'BKMG'[power]}`;
}

/** `INFO [section…]`: those of Redis; with `everything` or `modules` RedisAI's as well. */
export const info: Command = {
  name: 'info',
  arity: -1,
  flags: ['readonly'],
  keys: [0, 0, 0],
  run(context, words) {
    const asked = new Set(words.slice(1).map((word) => latin1(word).toLowerCase()));
    const common = asked.size === 0 || ['default', 'all', 'everything'].some((group) => asked.has(group));
    const ofModules = asked.has('everything') || asked.has('modules');
    const texts = Object.entries(sections)
      .filter(([title]) => asked.has(title) || (title.startsWith('ai_') ? ofModules : common))
      .map(([title, section]) => sectionText(title, section(context)));
    return new VerbatimReply(texts.join('\r\n'));
  },
};

/** RedisAI's titles are not capitalised. */
function sectionText(title: string, fields: Fields): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}:${value}\r\n`);
  const shown = title.startsWith('ai_') ? title : `${title.charAt(0).toUpperCase()}${title.slice(1)}`;
  return `# ${shown}\r\n${lines.join('')}`;
}
