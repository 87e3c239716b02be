import { closeSync, openSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { BashWorker } from './bash-worker.js';
import { DirectStarter } from './direct-starter.js';
import type { ProcessEnd, ProcessLaunch, StartedProcess, Starter } from './starter.js';
import { workerName } from './worker-program.js';

/** Characters of a request beyond which a worker, which reads them one by one, is the slower way. */
const longestRequest = 16_384;

/** Variables that bash does not hand on as they are: those with a meaning or a value of its own, and names of ours. */
const ofBash =
  /^(BASH(_(?!ENV$|FUNC_).*)?|BASHOPTS|BASHPID|SHELLOPTS|POSIXLY_CORRECT|POSIX_PEDANTIC|E?UID|PPID|GROUPS|DIRSTACK|FUNCNAME|FUNCNEST|LINENO|S?RANDOM|SECONDS|EPOCH(SECONDS|REALTIME)|HISTCMD|PIPESTATUS|OPT(IND|ERR|ARG)|COMP_.*|COPROC|MAPFILE|REPLY|READLINE_.*|EXECIGNORE|CHILD_MAX|TMOUT|IFS|PS4|simwright_.*)$/;

/** True if bash hands on a variable of that name as it is. */
export function isPlainVariable(name: string): boolean {
  return !ofBash.test(name);
}

/** Starts processes through workers, each of which starts one after another; what workers cannot do is started directly. */
export class BashStarter implements Starter {
  readonly #env: NodeJS.ProcessEnv;
  readonly #direct: DirectStarter;
  readonly #workers = new Set<BashWorker>();
  readonly #idle: BashWorker[] = [];
  #isUsable: boolean;

  /** `env` is the job's environment. */
  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
    this.#direct = new DirectStarter(env);
    this.#isUsable = Object.keys(env).every(isPlainVariable);
  }

  async start(launch: ProcessLaunch): Promise<StartedProcess> {
    const words = this.#isUsable ? this.#wordsFor(launch) : undefined;
    const worker = words === undefined ? undefined : await this.#worker();
    if (words === undefined || worker === undefined) return this.#direct.start(launch);
    const started = await worker.run(words);
    if (started === undefined) {
      throw new Error(worker.hasGone ? 'the shell that starts applications has gone' : 'it was killed before it began');
    }
    return { pid: started.pid, ended: this.#end(worker, started.code, launch) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.close()));
  }

  async #worker(): Promise<BashWorker | undefined> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) if (!idle.hasGone) return idle;
    const worker = await BashWorker.start(this.#env);
    if (worker === undefined) this.#isUsable = false;
    else this.#workers.add(worker);
    return worker;
  }

  /** The words of a request; `undefined` for what a worker is not for. */
  #wordsFor({ line, directory, name, variables }: ProcessLaunch): string[] | undefined {
    const given = Object.entries(variables);
    if (!given.every(([one]) => /^[A-Za-z_]\w*$/.test(one) && isPlainVariable(one))) return undefined;
    // Entering the directory sets PWD.
    const further = given.filter(([one, value]) => one !== 'PWD' || value !== directory);
    const assignments = further.map(([one, value]) => `${one}=${value}`);
    const before = this.#env['OLDPWD'];
    if (before !== undefined && variables['OLDPWD'] === undefined) assignments.push(`OLDPWD=${before}`);
    const words = [directory, name, String(assignments.length), ...assignments, ...line];
    const length = words.reduce((sum, word) => sum + word.length, 0);
    return length > longestRequest || words.some((word) => word.includes('\0')) ? undefined : words;
  }

  async #end(
    worker: BashWorker,
    code: Promise<number | undefined>,
    launch: ProcessLaunch,
  ): Promise<ProcessEnd | undefined> {
    const exit = await code;
    if (exit === undefined) {
      this.#workers.delete(worker);
      return undefined;
    }
    this.#idle.push(worker);
    if (exit === 126 || exit === 127) throwComplaint(launch, exit);
    return { code: exit, signal: signalOf(exit) };
  }
}

/** The signal that an exit code names; a shell does not tell more. */
function signalOf(code: number): NodeJS.Signals | null {
  const named = Object.entries(constants.signals).find(([, number]) => 128 + number === code);
  return named === undefined ? null : (named[0] as NodeJS.Signals);
}

/** Throws what bash has to say of a program that it could not execute; an application may itself end with these codes. */
function throwComplaint({ directory, name }: ProcessLaunch, code: 126 | 127): void {
  const [, complaint] =
    new RegExp(`^${workerName}: line \\d+: (.*)`).exec(startOf(join(directory, `${name}.err`))) ?? [];
  if (complaint !== undefined) throw Object.assign(new Error(complaint), { code: code === 127 ? 'ENOENT' : 'EACCES' });
}

function startOf(path: string): string {
  const bytes = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  try {
    return bytes.toString('utf8', 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}
