import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import { type Store, storeLinkVariable } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { storeJobFolder } from '../job/paths.js';
import { forgetStats } from '../store-files/stats-files.js';
import type { StoreAddress } from '../store-files/store-address.js';
import { ClusterForming } from './cluster-forming.js';
import type { ClusterChange } from './cluster-layout.js';
import { ClusterNews, type MovedShard, moveShards } from './cluster-news.js';
import { readJsonLines } from './json-lines.js';
import type { LinkListener } from './link-listener.js';
import { fromWire, StoreWord } from './messages.js';
import type { NodeLink } from './node-link.js';
import { Tail } from './tail.js';

/** Start of a store. */
export interface StoreLaunch {
  readonly store: Store;
  /** Words before the store's own command line; empty: it is a child of the supervisor. */
  readonly launch: readonly string[];
  /** The runtime's own command line: Node and the bundle. */
  readonly runtime: readonly string[];
  readonly onnxRuntime: string | undefined;
  /** Python for workers: a program of the PATH, or an absolute path. */
  readonly python: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Overrides the plan's port. */
  readonly port: number | undefined;
  /** Addresses of a cluster's servers that its users know, by their slots: it starts again there. Default: it is new. */
  readonly former?: readonly string[];
  /** Takes the links of its processes, if a launcher starts them. */
  readonly links: LinkListener | undefined;
}

/** End of a store that was told to end: in order. */
const toldToEnd = 'exit code 0';

type Node = StoreAddress['nodes'][number];

/** Milliseconds for a store to end, or to say that it saves; to save when one of its servers has died; after SIGTERM; and for the last output of a launcher that has ended. */
const patience = { closeMs: 5000, saveMs: 60_000, terminateMs: 5000, outputMs: 500 };

/** A node whose process has gone without being told to. */
interface LostNode {
  readonly host: string;
  readonly why: string;
  /** It said that it ends. */
  readonly inOrder: boolean;
}

/**
 * A store's processes, one a node. One that this object starts itself lives as long as the pipe that it holds to it; those that a launcher starts
 * live as long as their links. All end when one of them does.
 */
export class StoreProcess {
  readonly #child: ChildProcess;
  readonly name: string;
  /** Identity of this start of the store. */
  readonly id = randomBytes(8).toString('hex');
  readonly #expected: number;
  readonly #writesAtEnd: boolean;
  readonly #tail = new Tail();
  readonly #log: number;
  readonly #nodes: Node[] = [];
  readonly #ended: Promise<void>;
  readonly #links: LinkListener | undefined;
  /** Links of the nodes whose processes run. */
  readonly #linked = new Set<NodeLink>();
  /** Hosts whose processes have said that they end. */
  readonly #endedHosts = new Set<string>();
  #lost: LostNode | undefined;
  #isStopping = false;
  #isChildClosed = false;
  #resolveEnded: () => void = () => {};
  #problem: WorkflowError | undefined;
  #how = 'no reason is known';
  #changed: () => void = () => {};
  #running = true;
  readonly #forming: ClusterForming | undefined;
  /** Present once a cluster with replicas is formed. */
  #news: ClusterNews | undefined;
  /** Nodes that are ready, by their links. */
  readonly #ready = new Map<NodeLink, Node>();
  /** Nodes that it goes on without. */
  #nodesLost = 0;
  /** Called when clients that come anew have other addresses. */
  onMoved: (nodes: readonly Node[]) => void = () => {};
  #isSaving = false;
  /** Nodes that have saved. */
  #saved = 0;
  readonly #notSaved: string[] = [];

  constructor(job: JobEnvironment, launch: StoreLaunch) {
    const { store } = launch;
    const folder = storeJobFolder(job, store.name);
    mkdirSync(folder, { recursive: true });
    forgetStats(folder);
    this.#log = openSync(join(folder, 'launch.log'), 'a');
    this.name = store.name;
    this.#writesAtEnd = store.kind === 'standalone' && store.saveAtEnd.length > 0;
    this.#expected = store.nodes;
    const former = launch.former ?? [];
    if (store.kind === 'standalone' && store.shards > 1)
      this.#forming = new ClusterForming(
        job,
        store,
        former,
        (problem) => this.#cannotForm(problem),
        (parts) => {
          if (store.replicas !== undefined) this.#news = new ClusterNews(parts);
        },
      );
    const [program = '', ...args] = [
      ...launch.launch,
      ...launch.runtime,
      'store',
      store.name,
      '--id',
      this.id,
      // A store without a link notices.
      '--holder',
      launch.links === undefined ? 'pipe' : 'link',
      ...(launch.port === undefined ? [] : ['--port', String(launch.port)]),
      ...(former.length === 0 ? [] : ['--ports', former.map((address) => address.split(':')[1]).join()]),
      ...(launch.onnxRuntime === undefined ? [] : ['--onnxruntime', launch.onnxRuntime]),
      ...(launch.python === undefined ? [] : ['--python', launch.python]),
    ];
    this.#links = launch.links;
    const { env } = launch;
    const link = launch.links?.expect(this.id, env, (node) => this.#onNode(node));
    // A process group of its own, so that a launcher and what it started end together.
    this.#child = spawn(program, args, {
      cwd: job.dir,
      env: { ...env, ...(link === undefined ? {} : { [storeLinkVariable]: link }) },
      stdio: [link === undefined ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child.stdin?.on('error', () => {});
    if (this.#child.stdout !== null) {
      readJsonLines(
        this.#child.stdout,
        (value) => this.#onOutput(value),
        (line) => this.#note(`${line}\n`),
      );
    }
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#note(text));
    this.#ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#child.once('error', (error) => {
      this.#problem ??= new WorkflowError({
        code: 'RUN1010',
        message: `${program}, which starts store '${store.name}', cannot be started: ${error.message}`,
      });
      this.#end();
    });
    this.#child.once('exit', (code, signal) => {
      this.#how = signal ?? `exit code ${code}`;
      // Processes that a killed launcher has left may keep its output open.
      if (launch.links !== undefined) setTimeout(() => this.#onChildClosed(), patience.outputMs);
    });
    this.#child.once('close', () => this.#onChildClosed());
  }

  /** Resolves with the nodes when all have answered, their models loaded; rejects when one does not. */
  async ready(): Promise<readonly Node[]> {
    while (this.#nodes.length < this.#expected && this.#problem === undefined) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    // A process that has ended again since its word does not answer.
    const alive = await Promise.all([...this.#linked].map((node) => node.answers()));
    if (this.#lost !== undefined || alive.includes(false)) await this.#ended;
    if (this.#problem !== undefined) throw this.#problem;
    return [...this.#nodes].sort((a, b) => (a.host < b.host ? -1 : 1));
  }

  /** Resolves when the store has ended, for whatever reason. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Why the store ended by itself. */
  deathProblem(): WorkflowError {
    return new WorkflowError({
      code: 'RUN1005',
      message: [`store '${this.name}' died ${this.#where()}`, ...this.#tail.lines(5)].join('\n  '),
      hint: `its log is run/stores/${this.name}/`,
    });
  }

  /** True if it ended without being told to. */
  get crashed(): boolean {
    if (this.#running) return false;
    return this.#lost === undefined ? this.#how !== toldToEnd : !this.#lost.inOrder;
  }

  /** True if a key exists on one of its nodes; `undefined` where that can be asked of the store itself only. */
  async exists(key: string): Promise<boolean | undefined> {
    if (this.#linked.size === 0) return undefined;
    const found = await Promise.all([...this.#linked].map((node) => node.exists(key)));
    return found.includes(true);
  }

  /**
   * Ends the store: closes its pipe or links, then SIGTERM, then SIGKILL. One that writes what it is to leave behind has `saveMs` milliseconds for it.
   * Returns why it has not saved on every node, if so.
   */
  async stop(saveMs: number | Promise<number>): Promise<string | undefined> {
    this.#isStopping = true;
    this.#child.stdin?.end();
    for (const node of this.#linked) node.end();
    const isEnded =
      (await this.#endsWithin(this.#writesAtEnd ? await saveMs : patience.closeMs)) ||
      (this.#isSaving && (await this.#endsWithin(await saveMs)));
    if (!isEnded) {
      this.#kill('SIGTERM');
      if (!(await this.#endsWithin(patience.terminateMs))) {
        this.#kill('SIGKILL');
        for (const node of this.#linked) node.cut();
      }
      await this.#ended;
    }
    if (this.#saved === this.#expected - this.#nodesLost) return undefined;
    if (this.#notSaved.length > 0) return [...new Set(this.#notSaved)].join('; ');
    return isEnded ? `it ended before (${this.#how})` : 'it was not ready in the time that was left';
  }

  #onOutput(value: unknown): void {
    const word = StoreWord.safeParse(value);
    // A store with a link says nothing here.
    if (word.success && this.#links === undefined) this.#onWord(word.data);
    else this.#note(`${JSON.stringify(value)}\n`);
  }

  #onWord(word: StoreWord, node?: NodeLink): void {
    if ('offers' in word) {
      if (node !== undefined) this.#forming?.offer(node, word.offers);
    } else if ('change' in word) {
      if (node !== undefined) this.#onChange(node, word.change);
    } else if ('ready' in word) this.#onReady(word.ready, node);
    else if ('saving' in word) this.#isSaving = true;
    else if ('saved' in word) this.#saved++;
    else if ('notSaved' in word) this.#notSaved.push(word.notSaved.reason);
    else if ('ended' in word) this.#endedHosts.add(word.ended.host);
    else this.#problem ??= fromWire(word.failed);
    this.#changed();
  }

  #onNode(node: NodeLink): void {
    this.#linked.add(node);
    node.listen(
      (word) => this.#onWord(word, node),
      () => this.#onLost(node),
    );
    // It comes too late.
    if (this.#isStopping) node.end();
  }

  #onReady(ready: Node, node: NodeLink | undefined): void {
    this.#nodes.push(ready);
    if (node !== undefined) this.#ready.set(node, ready);
  }

  #onChange(node: NodeLink, change: ClusterChange): void {
    this.#move(this.#news?.heard(node, change) ?? []);
  }

  /** The node that users knew for these shards has gone: whoever comes anew looks for them where they are now. */
  #move(shards: readonly MovedShard[]): void {
    if (shards.length === 0) return;
    moveShards(this.#nodes, this.#ready, shards);
    this.onMoved(this.#nodes);
  }

  /** True if the store goes on without a node: every server there has another one of its shard elsewhere. */
  #goesOnWithout(node: NodeLink): boolean {
    if (this.#isStopping || this.#isChildClosed || this.#endedHosts.has(node.host)) return false;
    const lost = this.#nodes.length < this.#expected - this.#nodesLost ? undefined : this.#news?.lose(node);
    if (lost === undefined) return false;
    this.#nodesLost++;
    const { why } = this.#lossOf(node);
    const text = `store '${this.name}' goes on without ${node.host} (${why}): its other servers take over from ${lost.servers.join(', ')}`;
    console.log(text);
    this.#note(`${text}\n`);
    this.#move(lost.moved);
    return true;
  }

  #cannotForm(problem: WorkflowError): void {
    this.#problem ??= problem;
    this.#changed();
  }

  /** The end of one process is the end of all: the others are told. */
  #onLost(node: NodeLink): void {
    this.#linked.delete(node);
    if (this.#goesOnWithout(node)) return;
    if (!this.#isStopping && !this.#isChildClosed) {
      this.#lost ??= this.#lossOf(this.#firstGone(node));
    }
    if (!this.#isStopping) void this.stop(this.#lossMs);
    this.#endIfOver();
  }

  /** The process that went before all others: a launcher ends these soon after. */
  #firstGone(node: NodeLink): NodeLink {
    const before = (a: NodeLink, b: NodeLink) =>
      (a.goneAt ?? Number.POSITIVE_INFINITY) < (b.goneAt ?? Number.POSITIVE_INFINITY);
    return [...this.#linked].reduce((first, one) => (before(one, first) ? one : first), node);
  }

  #lossOf({ host, isSilent }: NodeLink): LostNode {
    const inOrder = this.#endedHosts.has(host);
    const why = isSilent ? 'it gave no sign of life any more' : inOrder ? 'it was told to end' : 'its process has gone';
    return { host, why, inOrder };
  }

  /** Milliseconds for the others to save when one has gone. */
  get #lossMs(): number {
    return this.#forming === undefined ? patience.closeMs : patience.saveMs;
  }

  #onChildClosed(): void {
    if (this.#isChildClosed) return;
    this.#isChildClosed = true;
    if (this.#linked.size > 0 && !this.#isStopping) void this.stop(this.#lossMs);
    this.#endIfOver();
  }

  #endIfOver(): void {
    if (!this.#isChildClosed || this.#linked.size > 0) return;
    this.#problem ??= this.#didNotStart();
    this.#end();
  }

  /** Text of how it ended, and on which node first, if that is known. */
  #where(): string {
    if (this.#lost === undefined) return `(${this.#how})`;
    const how = this.#how === toldToEnd ? '' : `; ${this.#how}`;
    return `on ${this.#lost.host} (${this.#lost.why}${how})`;
  }

  #didNotStart(): WorkflowError {
    return new WorkflowError({
      code: 'RUN1004',
      message: [`store '${this.name}' did not start ${this.#where()}`, ...this.#tail.lines(12)].join('\n  '),
      hint: `its log is run/stores/${this.name}/`,
    });
  }

  #note(text: string): void {
    this.#tail.add(text);
    if (this.#running) writeSync(this.#log, text);
  }

  #end(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#forming?.stop();
    this.#links?.forget(this.id);
    closeSync(this.#log);
    this.#changed();
    this.#resolveEnded();
  }

  #kill(signal: NodeJS.Signals): void {
    if (!this.#running || this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // It has just ended.
    }
  }

  #endsWithin(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), milliseconds);
      void this.#ended.then(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
}
