import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { type Problem, WorkflowError } from '../../diagnostics/index.js';
import type { Plan } from '../../ir/index.js';
import { printWarnings } from '../compile-workflow.js';
import { printJson } from '../print-json.js';
import { describePlacement } from './picture.js';
import { placementOf } from './placement.js';
import { placementSvg } from './svg.js';

/** Options of `preview --placement`. */
export interface PlacementOptions {
  readonly json?: boolean;
  /** File for the picture. */
  readonly svg?: string;
}

/** Prints the placement of a plan's jobs, and writes its picture, if that is asked for. */
export function showPlacement(plan: Plan, warnings: readonly Problem[], { json, svg }: PlacementOptions): void {
  const jobs = placementOf(plan);
  if (svg !== undefined) writeWhole(svg, placementSvg(jobs));
  if (json) {
    printJson({ ok: true, experiment: plan.experiment, jobs, problems: warnings });
    return;
  }
  printWarnings(warnings);
  process.stdout.write(`${describePlacement(jobs)}\n`);
}

/** Writes a file whole, or not at all. */
function writeWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    const reason = error instanceof Error ? error.message : String(error);
    throw new WorkflowError({ code: 'OUT1002', message: `${path} cannot be written: ${reason}` });
  }
}
