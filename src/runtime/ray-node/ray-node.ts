import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan, RayCluster } from '../../ir/index.js';
import { type JobEnvironment, readJobEnvironment, thisHost } from '../job/job-environment.js';
import { networkAddress } from '../job/network-address.js';
import { memberPath } from '../job/paths.js';
import { rankAmong } from '../job/rank.js';
import { entityOf, readPlan } from '../job/read-plan.js';
import { watchScript } from '../job/watch-script.js';
import { ClusterFiles, type ClusterHead, type ClusterStart, tokenFile } from '../ray/cluster-files.js';
import { freePort } from '../supervisor/free-port.js';
import { keepLogs } from './keep-logs.js';
import { NodeWatch, type RayFacts, type RayNode, rayFacts } from './python-helper.js';
import { RayProcess } from './ray-process.js';
import { headArguments, type NodeOptions, rayEnvironment, workerArguments } from './start-arguments.js';
import { makeTemporary, removeTemporary } from './temporary-folder.js';
import { dashboardAt, headAddress } from './wait-for-head.js';

/** Milliseconds between two looks at what other nodes say. */
const lookMs = 200;

/** Variable that tells Ray's processes of one node of one start from all others. */
const markName = 'SIMWRIGHT_RAY_NODE';

/** Keeps one node of a Ray cluster: starts Ray, tells when it fails, ends it. Returns the exit code. */
export async function runRayNode(cluster: string, dir: string): Promise<number> {
  const files = new ClusterFiles(dir, cluster);
  const start = files.start();
  if (start === undefined) {
    process.stderr.write(`simwright: nobody has asked for Ray cluster '${cluster}': 'runtime launch' starts it\n`);
    return 2;
  }
  for (const [name, value] of Object.entries(start.env)) process.env[name] ??= value;
  const job = readJobEnvironment(process.env, dir);
  const plan = readPlan(dir);
  const entity = entityOf(plan, cluster);
  const node = rankAmong(entity.size.nodes, job, process.env);
  const keeper = new NodeKeeper({ files, start, job, plan, node: node ?? -1, ray: entity.ray as RayCluster });
  if (node === undefined) return keeper.fail('its launcher does not tell it which node of the cluster it is');
  return keeper.run();
}

interface Keeping {
  readonly files: ClusterFiles;
  readonly start: ClusterStart;
  readonly job: JobEnvironment;
  readonly plan: Plan;
  /** Number of this node, from 0: the head. */
  readonly node: number;
  readonly ray: RayCluster;
}

/** A node of a cluster, from its start to its end. */
class NodeKeeper {
  readonly #keeping: Keeping;
  #process: RayProcess | undefined;
  #watch: NodeWatch | undefined;
  /** Why the node ends: empty if it was told to. */
  #end: string | undefined;
  #wake: () => void = () => {};

  constructor(keeping: Keeping) {
    this.#keeping = keeping;
  }

  /** Tells that the node has failed. */
  fail(reason: string): number {
    const { files, start, node } = this.#keeping;
    process.stderr.write(`simwright: ${thisHost()}: ${reason}\n`);
    files.publishFailure(start.id, Math.max(0, node), { host: thisHost(), reason });
    return 1;
  }

  async run(): Promise<number> {
    const { job, start, node } = this.#keeping;
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const)
      process.on(signal, () => this.#finish(''));
    // A warning is for programs that can make use of it.
    process.on('SIGUSR1', () => {});
    const endWatch = watchScript({ ...job, scriptPid: undefined }, true, () => this.#finish(''));
    try {
      await this.#keep();
    } catch (error) {
      this.#finish(error instanceof Error ? error.message : String(error));
    }
    endWatch();
    // Told first, so that the others need not wait for our end.
    const code = this.#end === undefined || this.#end === '' ? 0 : this.fail(this.#end);
    this.#watch?.close();
    await this.#process?.stop();
    keepLogs(
      this.#temporary,
      join(memberPath(job.dir, { kind: 'ray-cluster', name: this.#name }, 0), 'logs', this.#where),
    );
    await this.#process?.close();
    removeTemporary(start.id, node);
    return code;
  }

  get #name(): string {
    return this.#keeping.files.cluster;
  }

  /** Name of this node's logs: its host, and its number where several may be on one. */
  get #where(): string {
    return `${this.#keeping.node}-${thisHost()}`;
  }

  get #temporary(): string {
    return makeTemporary(this.#keeping.start.id, this.#keeping.node);
  }

  /** Starts Ray, and returns when the node is to end. */
  async #keep(): Promise<void> {
    const { job, plan, ray, node } = this.#keeping;
    const facts = await rayFacts(ray.python, job.dir, ray.auth === 'token');
    const ip = await networkAddress(plan.networkInterface);
    const options: NodeOptions = { ray, ip, temporary: this.#temporary, agentPort: await freePort() };
    if (node === 0) await this.#keepHead(options, facts);
    else await this.#keepWorker(options, facts);
  }

  async #keepHead(options: NodeOptions, facts: RayFacts & { version: string }): Promise<void> {
    const { files, start, job, plan, ray } = this.#keeping;
    await needFree('port', ray.port, '0.0.0.0');
    await needFree('dashboardPort', ray.dashboardPort, '127.0.0.1');
    const client = facts.client ? await freePort() : undefined;
    const dashboard = ray.dashboardPort ?? (await freePort());
    this.#begin(options, headArguments(options, { head: ray.port ?? 0, dashboard, client }));
    const address = await this.#orEnd(headAddress(options.temporary));
    if (address === undefined) return;
    const head: ClusterHead = {
      address,
      ...(client === undefined ? {} : { client: `ray://${options.ip}:${client}` }),
      host: thisHost(),
      version: facts.version,
    };
    files.publishHead(start.id, head);
    const { size } = entityOf(plan, this.#name);
    let isReady = false;
    const onNodes = (nodes: readonly RayNode[]): void => {
      const alive = nodes.filter((one) => one.alive);
      if (!isReady && alive.length >= size.nodes) {
        isReady = true;
        const hosts = alive.sort((a, b) => Number(b.head) - Number(a.head)).map(({ host }) => host);
        void dashboardAt(dashboard).then((url) =>
          files.publishReady(start.id, { ...head, ...(url === undefined ? {} : { dashboard: url }), hosts }),
        );
      }
      const lost = nodes.find((one) => !one.alive);
      if (isReady && lost !== undefined && alive.length < size.nodes) {
        // The node's own program knows more, and says so a moment later.
        void sleep(2000).then(() =>
          this.#finish(files.failure(start.id)?.reason ?? `node ${lost.host} has left the cluster`),
        );
      }
    };
    const program = { python: ray.python, dir: job.dir };
    this.#watch = new NodeWatch(program, address, this.#environment(), onNodes);
    void this.#watch.ended.then((why) => this.#finish(`the head does not answer: ${why}`));
    const late = setTimeout(() => {
      if (!isReady) this.#finish(`not all of its ${size.nodes} nodes have joined within ${job.upTimeoutSeconds} s`);
    }, job.upTimeoutSeconds * 1000);
    await this.#untilEnd();
    clearTimeout(late);
  }

  async #keepWorker(options: NodeOptions, facts: RayFacts & { version: string }): Promise<void> {
    const { files, start, job } = this.#keeping;
    const lateMs = performance.now() + job.upTimeoutSeconds * 1000;
    let head = files.head(start.id);
    while (head === undefined && this.#end === undefined) {
      // Another node has told why.
      if (files.failure(start.id) !== undefined) return this.#finish('');
      if (performance.now() > lateMs) throw new Error(`the head has not started within ${job.upTimeoutSeconds} s`);
      await sleep(lookMs);
      head = files.head(start.id);
    }
    if (head === undefined || this.#end !== undefined) return;
    if (head.version !== facts.version) {
      throw new Error(`it has Ray ${facts.version}, and the head on ${head.host} has ${head.version}`);
    }
    this.#begin(options, workerArguments(options, head.address));
    await this.#untilEnd();
  }

  #environment(): Record<string, string> {
    const { ray, job, start, node } = this.#keeping;
    const token = ray.auth === 'token' ? tokenFile(job.dir, this.#name) : undefined;
    return rayEnvironment(process.env, token, [markName, `${start.id}.${node}`]);
  }

  #begin({ ray, temporary }: NodeOptions, words: readonly string[]): void {
    const { start, node } = this.#keeping;
    const mark = [markName, `${start.id}.${node}`] as const;
    this.#process = new RayProcess(ray.python, words, this.#environment(), { temporary, mark });
    void this.#process.ended.then((how) => this.#finish(how));
  }

  #finish(reason: string): void {
    this.#end ??= reason;
    this.#wake();
  }

  #untilEnd(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#end !== undefined) resolve();
    });
  }

  /** The value of some work; undefined as soon as the node is to end. */
  async #orEnd<Value>(work: (isOver: () => boolean) => Promise<Value>): Promise<Value | undefined> {
    return Promise.race([work(() => this.#end !== undefined), this.#untilEnd().then(() => undefined)]);
  }
}

/** Throws an Error if something listens on a port that the user has chosen. */
async function needFree(option: string, port: number | undefined, host: string): Promise<void> {
  if (port === undefined) return;
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'something listens on it already' : error.message;
      reject(new Error(`port ${port} cannot be used: ${why}; leave out ${option}, and a free one is taken`));
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}
