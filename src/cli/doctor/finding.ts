/** How something stands: fine, worth knowing, or in the way of what Simwright is for. */
export type Verdict = 'ok' | 'warning' | 'problem';

/** One line of the checklist. */
export interface Finding {
  readonly topic: string;
  readonly verdict: Verdict;
  readonly message: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** What a probe has found out: data for programs, and what it means. */
export interface Probed<Facts = unknown> {
  readonly facts: Facts;
  readonly findings: readonly Finding[];
}
