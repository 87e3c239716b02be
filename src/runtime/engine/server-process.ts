import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import { Connection } from '../client/connection.js';
import { readSettings } from '../client/settings.js';
import { parentOf } from '../job/process-identity.js';
import { failedToLoad } from './load-problem.js';
import { readInfo } from './server-info.js';

/** Milliseconds between two looks whether a server answers, and for it to end. */
const lookMs = 20;
const endMs = 5000;
/** Milliseconds for a server to find out what is wrong with a file: Redis 7.0 may look for ever. */
const lookIntoFileMs = 2000;
/** Lines of its log that are kept, and that are told when it does not start. */
const keptLines = 60;
const toldLines = 12;

type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;

/** A server as a child of this process. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #program: string;
  #how: string | undefined;
  #isToEnd = false;
  #hasAnswered = false;
  #lookingIntoFile: NodeJS.Timeout | undefined;
  readonly #ended: Promise<string>;

  /** `config` is what it reads from its standard input. */
  constructor(program: string, config: string, log: Log) {
    this.#program = program;
    this.#child = spawn(program, ['-'], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdin?.end(config);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      let rest = '';
      stream?.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.#note(line, log);
      });
    }
    this.#ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#how ??= how;
        clearTimeout(this.#lookingIntoFile);
        resolve(this.#how);
      };
      this.#child.once('error', (error) => end(error.message));
      this.#child.once('close', (code, signal) => end(signal ?? `exit code ${code}`));
    });
  }

  /** The last lines that it has said, without their times. */
  get said(): readonly string[] {
    return this.#lines;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves with how it ended if it has not been told to end. */
  get died(): Promise<string> {
    return this.#ended.then((how) => (this.#isToEnd ? new Promise<string>(() => undefined) : how));
  }

  /** Resolves with a connection once it answers, all that it brings back loaded. @throws WorkflowError if it ends before */
  async answering(address: string): Promise<Connection> {
    const settings = readSettings({ SSDB: address, SR_CONN_TIMEOUT: '0' });
    const [place] = settings.addresses;
    if (place === undefined) throw new Error(`'${address}' is no address`);
    for (;;) {
      if (this.#how !== undefined) throw this.#notStarted();
      // While it loads a checkpoint it answers with an error.
      const opening = Connection.open(place, settings).catch(() => undefined);
      // A server that has loaded may take the connection, and never answer.
      const connection = await Promise.race([opening, this.#ended.then(() => undefined)]);
      // Another server may have the address: this one is about to find that out.
      if (connection !== undefined && (await this.#isBehind(connection))) {
        this.#hasAnswered = true;
        clearTimeout(this.#lookingIntoFile);
        return connection;
      }
      void opening.then((late) => late?.close());
      await Promise.race([sleep(lookMs), this.#ended]);
    }
  }

  /** Ends it, by force if it does not end by itself. */
  async stop(): Promise<void> {
    this.#isToEnd = true;
    if (this.#how !== undefined) return;
    // It heeds no SIGTERM, which a launcher sends to all that a step runs: its holder decides.
    this.#child.kill('SIGINT');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), endMs);
    await this.#ended;
    clearTimeout(timer);
  }

  /** True if this very server, or one that its program has started, is at the other end. */
  async #isBehind(connection: Connection): Promise<boolean> {
    const pid = await readInfo(connection).then(
      (info) => Number(info.get('process_id')),
      () => undefined,
    );
    for (let at = pid; at !== undefined && at > 0; at = parentOf(at)) if (at === this.pid) return true;
    return false;
  }

  #note(line: string, log: Log): void {
    if (line.trim() === '') return;
    // Later it says the same of what a client brings.
    if (!this.#hasAnswered && failedToLoad([line]))
      this.#lookingIntoFile ??= setTimeout(() => this.#child.kill('SIGKILL'), lookIntoFileMs);
    this.#lines.push(line.replace(/^\d+:\S+ \d+ \w+ \d+ [\d:.]+ /, ''));
    if (this.#lines.length > keptLines) this.#lines.shift();
    log(/ # /.test(line) ? 'warn' : 'info', `server: ${line}`);
  }

  #notStarted(): WorkflowError {
    const isTaken = this.#lines.some((line) => /Address already in use/i.test(line));
    return new WorkflowError({
      code: isTaken ? 'RUN1003' : 'RUN1004',
      message: [`${this.#program} did not start (${this.#how})`, ...this.#lines.slice(-toldLines)].join('\n  '),
      ...(isTaken && { hint: 'choose another port, or none for a free one' }),
    });
  }
}
