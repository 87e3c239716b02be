import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../ir/index.js';
import type { MemberSelection } from '../runtime/job/member-selection.js';
import { type Forecast, foretell } from '../runtime/rerun/index.js';
import { StatusReader } from '../runtime/status/index.js';

/** Options that decide what runs again. */
export interface RerunOptions {
  readonly fresh?: boolean;
  readonly keep?: boolean;
}

/** Forecasts, for each entity, what a run of a plan in a folder would do. The folder need not exist yet. */
export function forecastOf(plan: Plan, dir: string, options: RerunOptions = {}, chosen?: MemberSelection): Forecast[] {
  const { fresh = false, keep = false } = options;
  const reader = new StatusReader(dir);
  return foretell({ dir, plan, reader, fresh, keep, ...(chosen === undefined ? {} : { chosen }) });
}

/** True if something has run in a folder. */
export function hasResults(dir: string): boolean {
  return existsSync(join(dir, 'run/status'));
}

/** Forecasts as `--json` has them. */
export function forecastJson(forecasts: readonly Forecast[]) {
  return forecasts.map(
    ({ name, members, run, done, renumbered, kept, broughtBack, removed, reasons, keptReasons }) => ({
      name,
      members,
      run,
      done,
      renumbered,
      kept,
      broughtBack,
      removed,
      reasons,
      keptReasons,
    }),
  );
}

/** Lines on stderr. */
export function printLines(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${line}\n`);
}
