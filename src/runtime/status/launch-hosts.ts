import type { LaunchEvent } from './status-event.js';

/** Hosts that launches heard of at their ends, where the scheduler chose them: of a member in a job. */
export class LaunchHosts {
  readonly #hosts = new Map<string, string>();

  constructor(launches: Iterable<LaunchEvent>) {
    for (const launch of launches) {
      for (const [host, indices] of Object.entries(launch.hosts ?? {})) {
        for (const index of indices) this.#hosts.set(`${launch.jobId}/${index}`, host);
      }
    }
  }

  of(jobId: string, index: number): string | undefined {
    return this.#hosts.get(`${jobId}/${index}`);
  }
}
