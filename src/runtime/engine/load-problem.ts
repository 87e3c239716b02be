import { closeSync, openSync, readSync } from 'node:fs';
import { WorkflowError } from '../../diagnostics/index.js';
import { magic } from '../orchestrator/checkpoint/format.js';
import type { ServerProgram } from './find-engine.js';

/** Bytes at the start of a checkpoint in which its writer tells who it is. */
const headBytes = 256;
const titles = { redis: 'Redis', valkey: 'Valkey' } as const;

/**
 * True if the server cannot bring back the file that it was to, by what it has said. Then it looks for the reason, and ends: that of its log
 * which it says at once is looked for here.
 */
export function failedToLoad(said: readonly string[]): boolean {
  return said.some((line) => /Fatal error loading the DB|Internal error in RDB|not able to load|RDB file/i.test(line));
}

/** The reason for which a server does not bring back a checkpoint, for whoever has to decide what becomes of the file. */
export function loadProblem(file: string, server: ServerProgram, said: readonly string[]): WorkflowError {
  const here = `${titles[server.kind]} ${server.version}`;
  const head = headOf(file);
  const foreign = said.map((line) => /a value of the type \S+ was written by .*/.exec(line)?.[0]);
  const module = foreign.find((line) => line !== undefined);
  const damage = said.map((line) => /Wrong RDB checksum|(?<=-> ).*|RDB CRC error|Unexpected EOF.*/i.exec(line)?.[0]);
  let why: string;
  let hint = 'move the file away to start with an empty store, or put an intact copy in its place';
  if (head.startsWith(magic.toString('latin1'))) {
    why = 'an embedded store wrote it';
    hint = "choose the engine 'embedded' again, or move the file away to start with an empty store";
  } else if (!/^(REDIS|VALKEY)\d/.test(head)) why = 'it is no file of Redis or Valkey';
  else if (said.some((line) => /RDB format version|Wrong signature/i.test(line))) {
    why = `${writerOf(head)} wrote it, in a format that ${here} does not read`;
    hint =
      'start the server that wrote it (SIMWRIGHT_ENGINE_SERVER names one), or move the file away to start with an empty store';
  } else if (module !== undefined) {
    why = module;
    hint =
      "build the module of that version ('simwright engine install'), or move the file away to start with an empty store";
  } else why = `it is damaged (${damage.find((line) => line !== undefined) ?? said.at(-1)})`;
  return new WorkflowError({
    code: 'RUN1004',
    message: `the checkpoint ${file} cannot be brought back: ${why}`,
    hint: `nothing was loaded, and the file is as it was; ${hint}`,
  });
}

function headOf(file: string): string {
  const head = Buffer.alloc(headBytes);
  const open = openSync(file, 'r');
  try {
    return head.toString('latin1', 0, readSync(open, head, 0, headBytes, 0));
  } finally {
    closeSync(open);
  }
}

/** The server that wrote the file, as the file tells. */
function writerOf(head: string): string {
  const [, kind, length, version = ''] = /(redis|valkey)-ver([\0-?])([\d.]+)/.exec(head) ?? [];
  if (length === undefined) return 'another server';
  return `${titles[kind as keyof typeof titles]} ${version.slice(0, length.charCodeAt(0))}`;
}
