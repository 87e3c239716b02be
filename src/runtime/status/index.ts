export { type Attempt, AttemptTable } from './attempts.js';
export { type EntityStatus, StatusTable } from './entity-status.js';
export { type Awaited, type EventState, isOver, judgeEvent } from './judge-event.js';
export { LaunchHosts } from './launch-hosts.js';
export { MembersFile } from './members-file.js';
export { formatRanges, isInRanges } from './ranges.js';
export { entityOutcome, neverStarts, type RunFacts } from './run-outcome.js';
export {
  happenedAt,
  isEnd,
  LaunchEvent,
  MemberEvent,
  MemberState,
  parseStatusLine,
  type StatusEvent,
  unknownStart,
} from './status-event.js';
export { StatusReader } from './status-reader.js';
export { StatusWriter } from './status-writer.js';
export { type EntitySummary, type PastEvents, summarize } from './summary.js';
export { type Counts, countsFor, launchesOf, ownLaunchesOf } from './this-run.js';
