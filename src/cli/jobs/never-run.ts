import type { Job, Plan } from '../../ir/index.js';
import type { StatusReader } from '../../runtime/status/index.js';
import type { JobReport } from '../../targets/queries.js';

/** Reports on a job's elements. An element that is said to have ended, and perhaps has never run, has run if it wrote into the status files. */
export function judgeUnsure(
  reports: readonly JobReport[],
  { entities }: Plan,
  job: Job,
  reader: StatusReader,
): readonly JobReport[] {
  if (!reports.some(({ isUnsure }) => isUnsure)) return reports;
  const own = entities.filter((entity) => entity.job === job.name);
  const launches = own.flatMap(({ name }) => [...reader.of(name).launches.values()]);
  const ran = new Set(launches.map(({ jobId }) => hostless(jobId)));
  return reports.map((report) => {
    if (!report.isUnsure || ran.has(hostless(report.id))) return report;
    const { exit: _exit, ...others } = report;
    return { ...others, state: 'CANCELLED', reason: 'it has never run' };
  });
}

/** The id without the server's name, which may be longer in one of two. */
function hostless(id: string): string {
  return id.replace(/\..*/, '');
}
