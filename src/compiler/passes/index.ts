export { checkFiles } from './check-files.js';
export { checkNames } from './check-names.js';
export { checkStores } from './check-stores.js';
export { checkTemplates } from './check-templates.js';
export { expandAxes } from './expand-axes.js';
export { fitOneNode } from './fit-one-node.js';
export { lower } from './lower.js';
export { type PlacedJob, placeJobs, type Sized } from './place-jobs.js';
export { type StepSize, sizeStep } from './size-steps.js';
