import { execFile, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Programs that ask the kernel for the process at the other end of each Unix socket that they are given from descriptor 3 on, and print its
 * number or 0 on a line: Node.js has no call for it (SO_PEERCRED). The first that is there is used.
 */
const askers: readonly (readonly string[])[] = [
  [
    'perl',
    '-e',
    'for (3 .. $ARGV[0] + 2) { my ($s, $c); $c = open($s, "+<&=", $_) ? getsockopt($s, 1, 17) : undef; print defined $c ? unpack("i", $c) : 0, "\\n" }',
  ],
  [
    'python3',
    '-ISc',
    'import socket, struct, sys\nfor fd in range(3, int(sys.argv[1]) + 3):\n  print(struct.unpack("3i", socket.socket(socket.AF_UNIX, fileno=fd).getsockopt(1, 17, 12))[0])',
  ],
];

/** Sockets that one program is given at most, and milliseconds that it has. */
const most = { sockets: 64, ms: 1000 };

interface Question {
  readonly socket: Socket;
  readonly answer: (pid: number | undefined) => void;
}

/** Finds the process that has connected to a Unix socket. All that ask while one program runs share the next. */
export class PeerCredentials {
  readonly #questions: Question[] = [];
  #isAsking = false;
  #asker: readonly string[] | undefined;

  /** Its process id; undefined where nothing can tell. */
  pidOf(socket: Socket): Promise<number | undefined> {
    return new Promise((answer) => {
      this.#questions.push({ socket, answer });
      if (!this.#isAsking) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isAsking = true;
    while (this.#questions.length > 0) {
      const batch = this.#questions.splice(0, most.sockets);
      const pids = await this.#ask(batch.flatMap(({ socket }) => descriptorOf(socket) ?? -1)).catch(() => []);
      for (const [index, { answer }] of batch.entries()) answer(pids[index] || undefined);
    }
    this.#isAsking = false;
  }

  /** Process ids in the order of the descriptors. */
  async #ask(descriptors: readonly number[]): Promise<readonly number[]> {
    const open = descriptors.filter((descriptor) => descriptor >= 0);
    this.#asker ??= await firstThatRuns();
    const [program, ...words] = this.#asker;
    if (program === undefined || open.length === 0) return [];
    const text = await outputOf(program, [...words, String(open.length)], open);
    const pids = text.split('\n').map(Number);
    return descriptors.map((descriptor) => (descriptor < 0 ? 0 : (pids[open.indexOf(descriptor)] ?? 0)));
  }
}

/** The descriptor beneath a socket. */
function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle: { readonly fd?: number } | null };
  return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}

async function firstThatRuns(): Promise<readonly string[]> {
  for (const [program = '', ...words] of askers) {
    const runs = await new Promise<boolean>((resolve) => {
      execFile(program, [...words, '0'], { timeout: most.ms }, (error) => resolve(error === null));
    });
    if (runs) return [program, ...words];
  }
  return [];
}

function outputOf(program: string, words: readonly string[], descriptors: readonly number[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore', ...descriptors], timeout: most.ms });
    let text = '';
    child.stdout?.setEncoding('latin1').on('data', (piece: string) => {
      text += piece;
    });
    child.on('error', reject).on('close', () => resolve(text));
  });
}
