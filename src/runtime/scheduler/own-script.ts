import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobEnvironment } from '../job/job-environment.js';

/** Descriptor on which bash keeps the script that it reads. */
const scriptDescriptor = 255;

/** Text of the script that this job runs, as it was submitted; else that of the folder; empty where neither can be read. */
export function ownScript(job: JobEnvironment, path: string): string {
  const places = [
    ...(job.scriptPid === undefined ? [] : [`/proc/${job.scriptPid}/fd/${scriptDescriptor}`]),
    join(job.dir, path),
  ];
  for (const place of places) {
    try {
      return readFileSync(place, 'utf8');
    } catch {
      // Another shell, or one that has gone.
    }
  }
  return '';
}
