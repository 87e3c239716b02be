import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { readJsonLines } from '../supervisor/json-lines.js';
import { Tail } from '../supervisor/tail.js';

const Facts = z.object({ version: z.string().nullable(), client: z.boolean(), python: z.string() });

/** Facts about the Ray of a Python. */
export type RayFacts = z.infer<typeof Facts>;

const Nodes = z.object({
  nodes: z.array(z.object({ ip: z.string(), host: z.string(), alive: z.boolean(), head: z.boolean() })),
});

/** A node of a cluster as Ray's head knows it. */
export type RayNode = z.infer<typeof Nodes>['nodes'][number];

/** First version of Ray that can ask for a token. */
const firstWithToken: readonly [major: number, minor: number] = [2, 52];

const run = promisify(execFile);

/** Asks a Python what Ray it has. Throws an Error that says what is wrong with it. */
export async function rayFacts(
  python: string,
  dir: string,
  needsToken: boolean,
): Promise<RayFacts & { version: string }> {
  const { stdout } = await run(python, [...helper, 'facts'], {
    env: withPackages(process.env, dir),
    timeout: 60_000,
  }).catch((error: Error) => {
    throw new Error(`Python '${python}' cannot be run: ${error.message.trim().split('\n').at(-1)}`);
  });
  const facts = Facts.parse(JSON.parse(stdout));
  const { version } = facts;
  if (version === null) {
    throw new Error(
      `Python '${python}' (${facts.python}) has no Ray: pip install ray, or say .rayCluster(…, { python })`,
    );
  }
  if (needsToken && !isAtLeast(version, firstWithToken)) {
    const first = firstWithToken.join('.');
    throw new Error(
      `Ray ${version} cannot ask for a token, so every user of the network could run programs as you: use Ray ${first} or later, or say auth: 'none'`,
    );
  }
  return { ...facts, version };
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** Nodes of a cluster, as its head tells them, whenever they change. */
export class NodeWatch {
  readonly #child: ChildProcess;
  readonly #tail = new Tail();
  /** The last lines of what it said, when it ends. */
  readonly ended: Promise<string>;

  constructor(
    program: { readonly python: string; readonly dir: string },
    address: string,
    env: Readonly<Record<string, string>>,
    onNodes: (nodes: readonly RayNode[]) => void,
  ) {
    const words = [...helper, 'watch', address];
    const packages = withPackages(env, program.dir);
    this.#child = spawn(program.python, words, { env: packages, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#tail.add(text));
    if (this.#child.stdout !== null) {
      readJsonLines(this.#child.stdout, (value) => {
        const read = Nodes.safeParse(value);
        if (read.success) onNodes(read.data.nodes);
      });
    }
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('exit', () => resolve(this.#tail.lines(1).join('')));
    });
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}

const helper = ['-m', 'simwright.ray_cluster'];

function withPackages(env: NodeJS.ProcessEnv, dir: string): NodeJS.ProcessEnv {
  const { PYTHONPATH: given = '' } = env;
  const own = join(dir, 'runtime/python');
  return { ...env, PYTHONPATH: given === '' ? own : `${own}:${given}` };
}
