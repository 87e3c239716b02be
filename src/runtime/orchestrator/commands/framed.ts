import { aiConfig, type ConfigContext } from './ai-config.js';
import { aiInfo } from './ai-info.js';
import type { AiCommandContext, Command } from './command.js';
import { dagCommands } from './dag.js';
import { modelDelete } from './model-delete.js';
import { modelExecute } from './model-execute.js';
import { modelGet } from './model-get.js';
import { modelRun } from './model-run.js';
import { modelSet } from './model-set.js';
import { modelStore } from './model-store.js';
import { modelScan, type ScanContext, scriptScan } from './scans.js';
import { scriptExecute, scriptRun } from './script-run.js';
import { scriptDelete, scriptGet, scriptSet, scriptStore } from './scripts.js';
import { latin1 } from './words.js';

/** State that a command works with whose words and values have come from another server. */
export type FramedContext = AiCommandContext & ConfigContext & ScanContext;

/** Commands that need no more of a server than the values at their keys: another server's module hands them on. */
const framed: readonly Command<FramedContext>[] = [
  ...[modelStore, modelSet, modelGet, modelDelete, modelExecute, modelRun, modelScan],
  ...[scriptStore, scriptSet, scriptGet, scriptDelete, scriptExecute, scriptRun, scriptScan],
  ...dagCommands,
  aiInfo,
  aiConfig,
];

const byName: ReadonlyMap<string, Command<FramedContext>> = new Map(
  framed.flatMap((entry) => [[entry.name, entry] as const, [entry.name.toUpperCase(), entry] as const]),
);

/** The command of that name; undefined if it is not one of these. */
export function framedCommand(word: Buffer | undefined): Command<FramedContext> | undefined {
  const name = latin1(word);
  return byName.get(name) ?? byName.get(name.toLowerCase());
}
