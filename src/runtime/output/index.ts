export { type Cause, describeEnd, type Failure, groupByCause } from './causes.js';
export { keepOutput, outputName, type Stream, streams } from './output-files.js';
export { asShown, type Tail, tailOf } from './tail.js';
export { type TellingLine, tellingLine } from './telling-line.js';
