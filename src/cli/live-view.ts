import { DefaultRenderer, Listr, ListrLogger, type ListrTask, ProcessOutput } from 'listr2';
import { hasNumbers, type Plan } from '../ir/index.js';
import type { MemberSelection } from '../runtime/job/member-selection.js';
import {
  type EntityStatus,
  type EntitySummary,
  type MemberEvent,
  type PastEvents,
  StatusReader,
  summarize,
} from '../runtime/status/index.js';
import { describeSkip } from './jobs/entities.js';
import { describeStats, type StoreReport, storeReports } from './jobs/stores.js';

/** Shows how far a run is: a line an entity on a terminal, a plain line a change elsewhere. All of it on stderr. */
export interface LiveView {
  /** Follows the run until `ended` settles. */
  follow(ended: Promise<unknown>): Promise<void>;
  /** Shows from now on that the applications are being ended. */
  ending(): void;
}

/** Interval at which files are read, in milliseconds. */
const interval = 200;

/** A run: a folder, and the members that run. */
export interface Run {
  readonly plan: Plan;
  readonly folder: string;
  readonly chosen: MemberSelection;
  /** True for what an earlier run says of a member that runs again. */
  readonly runsAgain: (event: MemberEvent, status: EntityStatus) => boolean;
  /** Milliseconds since 1970 at which it was started. */
  readonly startedMs: number;
}

/** The view that suits stderr. */
export function liveView(run: Run): LiveView {
  return process.stderr.isTTY === true ? new TerminalView(run) : new PlainView(run);
}

/** States of the entities. */
export function summarizeRun(run: Run): EntitySummary[] {
  return new Progress(run).refresh();
}

class Progress {
  readonly #reader: StatusReader;

  constructor(readonly run: Run) {
    this.#reader = new StatusReader(run.folder);
  }

  /** The line that shows an entity. */
  describe(summary: EntitySummary, isEnding = false): string {
    const isModel = this.run.plan.entities.some((one) => one.name === summary.name && !hasNumbers(one));
    return isModel ? describeModel(summary, isEnding) : describeEnsemble(summary, isEnding);
  }

  refresh(): EntitySummary[] {
    this.#reader.refresh();
    const { plan, chosen, runsAgain, startedMs } = this.run;
    const started = new Date(startedMs).toISOString();
    const past: PastEvents = { isPastMember: runsAgain, isPastLaunch: ({ time }) => time < started };
    return plan.entities.map((entity) => summarize(plan, entity, this.#reader.of(entity.name), chosen, past));
  }

  /** Stores that have said something about themselves. */
  stores(): { readonly name: string; readonly text: string }[] {
    return storeReports(this.run.plan, this.run.folder, this.run.startedMs).flatMap(({ name, stats }: StoreReport) =>
      stats === undefined ? [] : [{ name, text: describeStats(stats) }],
    );
  }
}

class PlainView implements LiveView {
  readonly #progress: Progress;
  readonly #shown = new Map<string, string>();

  constructor(run: Run) {
    this.#progress = new Progress(run);
  }

  ending(): void {
    process.stderr.write('ending the applications...\n');
  }

  #show(name: string, text: string): void {
    if (this.#shown.get(name) === text) return;
    this.#shown.set(name, text);
    process.stderr.write(`${name}: ${text}\n`);
  }

  async follow(ended: Promise<unknown>): Promise<void> {
    await everyInterval(ended, () => {
      for (const summary of this.#progress.refresh()) this.#show(summary.name, this.#progress.describe(summary));
    });
    for (const { name, text } of this.#progress.stores()) this.#show(`store ${name}`, text);
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

  constructor(readonly run: Run) {
    this.#progress = new Progress(run);
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
    const stores: ListrTask[] = this.run.plan.stores.map(({ name, kind }) => {
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
    const list = new Listr([...stores, ...this.run.plan.entities.map(({ name }) => line(name))], {
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
      for (const { name, text } of this.#progress.stores()) titles.get(`store ${name}`)?.(text);
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

/** `waiting`, `running`, … */
function describeModel(summary: EntitySummary, isEnding: boolean): string {
  const state = (['running', 'failed', 'interrupted', 'completed'] as const).find((one) => summary[one] > 0);
  return skipped(summary) ?? (state === 'running' && isEnding ? 'being ended' : (state ?? 'waiting'));
}

/** `2/6 completed, 2 running`. */
function describeEnsemble(summary: EntitySummary, isEnding: boolean): string {
  const parts = [`${summary.completed}/${summary.total} completed`];
  for (const state of ['running', 'failed', 'interrupted'] as const) {
    if (summary[state] > 0) parts.push(`${summary[state]} ${isEnding && state === 'running' ? 'being ended' : state}`);
  }
  return skipped(summary) ?? parts.join(', ');
}

/** `skipped: it waits for …`, where it is so. */
function skipped({ skipped: reason }: EntitySummary): string | undefined {
  return reason === undefined ? undefined : `skipped: ${describeSkip(reason)}`;
}
