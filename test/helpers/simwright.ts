import { fileURLToPath } from 'node:url';
import { execa, type Options } from 'execa';
import { waitUntil } from '../runtime/support/wait-until.js';

/** The repository's root. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** How a command ended. */
export interface CommandEnd {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

/** Where and how a command runs. */
export interface CommandPlace {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Options for {@link startSimwright}: no exception on failure, output byte for byte, no input, time to end in order on a busy machine. */
const options = {
  reject: false,
  stdin: 'ignore',
  stripFinalNewline: false,
  forceKillAfterDelay: 30_000,
} as const satisfies Options;

/** Starts the built command line. `npm run build` has to have run. */
export function startSimwright(place: CommandPlace, ...words: readonly string[]) {
  return execa(process.execPath, [main, ...words], { ...options, cwd: place.cwd, env: { ...place.env } });
}

/** Runs the built command line to its end. */
export async function simwright(place: CommandPlace, ...words: readonly string[]): Promise<CommandEnd> {
  const { stdout, stderr, exitCode } = await startSimwright(place, ...words);
  return { stdout, stderr, exitCode };
}

/** The command line as words, for programs that start it themselves. */
export const simwrightWords: readonly string[] = [process.execPath, main];

/** Waits until the condition holds; fails at once, with its output, when the command ends before. */
export async function meanwhile(
  command: PromiseLike<{ readonly stdout?: unknown; readonly stderr?: unknown; readonly exitCode?: number }>,
  what: string,
  condition: () => boolean,
): Promise<void> {
  let isWaiting = true;
  const tooEarly = Promise.resolve(command).then(({ exitCode, stdout, stderr }) => {
    if (isWaiting) throw new Error(`it ended with ${exitCode} before ${what}:\n${stdout}\n${stderr}`);
  });
  await Promise.race([waitUntil(what, condition, 45), tooEarly]);
  isWaiting = false;
}
