import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultRenderer, Listr, ListrLogger, type ListrTask, ProcessOutput } from 'listr2';
import type { Plan } from '../ir/index.js';
import { type EntitySummary, StatusReader, summarize } from '../runtime/status/index.js';

/** Shows how far a run is: a line an entity on a terminal, a plain line a change elsewhere. All of it on stderr. */
export interface LiveView {
  /** Follows the run until `ended` settles. */
  follow(ended: Promise<unknown>): Promise<void>;
  /** Says from now on that the applications are being ended. */
  ending(): void;
}

/** How often files are read, in milliseconds. */
const interval = 200;

/** The view that suits stderr. */
export function liveView(plan: Plan, folder: string): LiveView {
  return process.stderr.isTTY === true ? new TerminalView(plan, folder) : new PlainView(plan, folder);
}

/** Where each entity stands. */
export function summarizeRun(plan: Plan, folder: string): EntitySummary[] {
  return new Progress(plan, folder).refresh();
}

class Progress {
  readonly #reader: StatusReader;

  constructor(
    readonly plan: Plan,
    readonly folder: string,
  ) {
    this.#reader = new StatusReader(folder);
  }

  /** What is shown of an entity. */
  describe(summary: EntitySummary, isEnding = false): string {
    const isModel = this.plan.entities.some(({ name, kind }) => name === summary.name && kind === 'model');
    return isModel ? describeModel(summary, isEnding) : describeEnsemble(summary, isEnding);
  }

  refresh(): EntitySummary[] {
    this.#reader.refresh();
    return this.plan.entities.map((entity) => summarize(entity, this.#reader.of(entity.name)));
  }
}

class PlainView implements LiveView {
  readonly #progress: Progress;
  readonly #shown = new Map<string, string>();

  constructor(plan: Plan, folder: string) {
    this.#progress = new Progress(plan, folder);
  }

  ending(): void {
    process.stderr.write('ending the applications...\n');
  }

  async follow(ended: Promise<unknown>): Promise<void> {
    await everyInterval(ended, () => {
      for (const summary of this.#progress.refresh()) {
        const text = this.#progress.describe(summary);
        if (this.#shown.get(summary.name) === text) continue;
        this.#shown.set(summary.name, text);
        process.stderr.write(`${summary.name}: ${text}\n`);
      }
    });
  }
}

/** Draws on stderr: stdout holds results, and may be a file while stderr is a terminal. */
class StderrRenderer extends DefaultRenderer {
  // Without it, Listr would look at stdout and draw nothing where that is a file.
  static override readonly nonTTY = true;
}

class TerminalView implements LiveView {
  readonly #progress: Progress;
  #isEnding = false;

  constructor(
    readonly plan: Plan,
    readonly folder: string,
  ) {
    this.#progress = new Progress(plan, folder);
  }

  ending(): void {
    this.#isEnding = true;
  }

  async follow(ended: Promise<unknown>): Promise<void> {
    const titles = new Map<string, (title: string) => void>();
    const line = (name: string): ListrTask => ({
      title: name,
      task: async (_, task) => {
        titles.set(name, (title) => {
          task.title = title;
        });
        await ended.catch(() => undefined);
        const summary = this.#progress.refresh().find((one) => one.name === name);
        if (summary === undefined) return;
        task.title = `${name}: ${this.#progress.describe(summary)}`;
        if (summary.completed < summary.total) throw new Error(task.title);
      },
    });
    const stores: ListrTask[] = this.plan.stores.map(({ name, kind }) => {
      const title = kind === 'standalone' ? name : `${name} (store)`;
      return {
        title,
        task: async (_, task) => {
          titles.set(`store ${name}`, (text) => {
            task.title = `${title}: ${text}`;
          });
          await ended.catch(() => undefined);
        },
      };
    });
    const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stdout) });
    const list = new Listr([...stores, ...this.plan.entities.map(({ name }) => line(name))], {
      renderer: StderrRenderer,
      concurrent: true,
      exitOnError: false,
      collectErrors: false,
      registerSignalListeners: false,
      rendererOptions: { logger, showErrorMessage: false, collapseErrors: true },
    });
    const shown = list.run().catch(() => undefined);
    await everyInterval(ended, () => {
      for (const summary of this.#progress.refresh())
        titles.get(summary.name)?.(`${summary.name}: ${this.#progress.describe(summary, this.#isEnding)}`);
      for (const { name } of this.plan.stores) {
        const text = describeStore(this.folder, name);
        if (text !== undefined) titles.get(`store ${name}`)?.(text);
      }
    });
    await shown;
  }
}

async function everyInterval(ended: Promise<unknown>, look: () => void): Promise<void> {
  const timer = setInterval(look, interval);
  try {
    await ended.catch(() => undefined);
  } finally {
    clearInterval(timer);
    look();
  }
}

/** `skipped: it waits for …`, where it is so. */
function describeSkip({ skipped }: EntitySummary): string | undefined {
  return skipped === undefined ? undefined : `skipped: ${skipped.replace(/^.*? is not launched: /, '')}`;
}

/** `waiting`, `running`, … */
function describeModel(summary: EntitySummary, isEnding: boolean): string {
  const state = (['running', 'failed', 'interrupted', 'completed'] as const).find((one) => summary[one] > 0);
  return describeSkip(summary) ?? (state === 'running' && isEnding ? 'being ended' : (state ?? 'waiting'));
}

/** `2/6 completed, 2 running`. */
function describeEnsemble(summary: EntitySummary, isEnding: boolean): string {
  const parts = [`${summary.completed}/${summary.total} completed`];
  for (const state of ['running', 'failed', 'interrupted'] as const) {
    if (summary[state] > 0) parts.push(`${summary[state]} ${isEnding && state === 'running' ? 'being ended' : state}`);
  }
  return describeSkip(summary) ?? parts.join(', ');
}

/** Memory and requests of a store, summed over its hosts, from the statistics it writes. */
function describeStore(folder: string, name: string): string | undefined {
  const place = join(folder, 'run/stores', name);
  const sum = { usedBytes: 0, requests: 0, inferences: 0 };
  try {
    const files = readdirSync(place).filter((file) => file.endsWith('.stats.json'));
    if (files.length === 0) return undefined;
    for (const file of files) {
      const stats = JSON.parse(readFileSync(join(place, file), 'utf8')) as Partial<typeof sum>;
      sum.usedBytes += stats.usedBytes ?? 0;
      sum.requests += stats.requests ?? 0;
      sum.inferences += stats.inferences ?? 0;
    }
  } catch {
    // The file is just being replaced, or the store has gone.
    return undefined;
  }
  return `${(sum.usedBytes / 1024 / 1024).toFixed(1)} MiB, ${sum.requests} requests, ${sum.inferences} inferences`;
}
