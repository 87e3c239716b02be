export { type Arrangement, arrange } from './arrange.js';
export { type AsideEntry, asideFolder, listAside, moveAside, removeAside } from './aside.js';
export { type Decision, type Decisions, decide, type Facts, type Reason } from './decide.js';
export { describeReason, type RerunSummary } from './describe.js';
export { FirstRunMark } from './first-run-mark.js';
export { type Forecast, forecastDetails, forecastLines, foretell } from './foretell.js';
export { type RunRecord, writeRecord } from './record.js';
export { presentMembers, Rerun, type RerunContext } from './rerun.js';
