import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quoteShellWord } from '../targets/quoting.js';

/** Commands of a site's environment modules, which do nothing where this machine has none. */
const lacking = ['module', 'ml'];

/** Lays what keeps stand-ins first on PATH, also in scripts whose login shell sets PATH anew. */
export function layPath(state: string): void {
  const last = join(state, 'last');
  mkdirSync(last);
  for (const name of lacking) writeFileSync(join(last, name), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  const lines = [
    `case :$PATH: in`,
    `  ${quoteShellWord(`:${join(state, 'bin')}`)}:*) ;;`,
    `  *) PATH=${quoteShellWord(join(state, 'bin'))}:$PATH\${SIMWRIGHT_REHEARSAL_PATH:+:$SIMWRIGHT_REHEARSAL_PATH}:${quoteShellWord(last)} ;;`,
    'esac',
    '[ -z "$SIMWRIGHT_REHEARSAL_BASH_ENV" ] || . "$SIMWRIGHT_REHEARSAL_BASH_ENV"',
  ];
  writeFileSync(join(state, 'bash-env'), `${lines.join('\n')}\n`);
}

/** Variables by which programs find stand-ins first, given those of who submits. */
export function pathVariables(
  state: string,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const [first, last] = [join(state, 'bin'), join(state, 'last')];
  const own = (env['PATH'] ?? process.env['PATH'] ?? '')
    .split(':')
    .filter((folder) => folder !== first && folder !== last);
  const before = env['SIMWRIGHT_REHEARSAL_BASH_ENV'] ?? env['BASH_ENV'] ?? '';
  return {
    PATH: [first, ...own, last].join(':'),
    BASH_ENV: join(state, 'bash-env'),
    SIMWRIGHT_REHEARSAL_PATH: own.join(':'),
    SIMWRIGHT_REHEARSAL_BASH_ENV: before === join(state, 'bash-env') ? '' : before,
  };
}

/** Variables that stand for what nodes have of their own, which no job has to hand on: ONNX Runtime, Python, the engine, devices in place of others. */
export const ofNodes = [
  'SIMWRIGHT_HOME',
  'SIMWRIGHT_PYTHON',
  'SIMWRIGHT_ENGINE_SERVER',
  'XDG_DATA_HOME',
  'SIMWRIGHT_MAP_DEVICE',
] as const;

export function nodeVariables(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(
    ofNodes.flatMap((name): [string, string][] => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}
