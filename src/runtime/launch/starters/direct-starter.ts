import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { withUmaskOfJob } from '../../job/private-files.js';
import type { ProcessEnd, ProcessLaunch, StartedProcess, Starter } from './starter.js';

/** Starts processes as children of this one. */
export class DirectStarter implements Starter {
  readonly #env: NodeJS.ProcessEnv;

  /** `env` is the job's environment. */
  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  async start({ line, directory, name, variables }: ProcessLaunch): Promise<StartedProcess> {
    const out = openSync(join(directory, `${name}.out`), 'w', 0o644);
    const err = openSync(join(directory, `${name}.err`), 'w', 0o644);
    const [program = '', ...args] = line;
    try {
      const env = { ...this.#env, ...variables };
      const child = withUmaskOfJob(() =>
        spawn(program, args, { cwd: directory, env, stdio: ['ignore', out, err], detached: true }),
      );
      const ended = new Promise<ProcessEnd>((resolve) => {
        child.once('exit', (code, signal) => resolve({ code, signal }));
      });
      if (child.pid !== undefined) return { pid: child.pid, ended };
      throw await new Promise((resolve) => child.once('error', resolve));
    } finally {
      closeSync(out);
      closeSync(err);
    }
  }

  async close(): Promise<void> {}
}
