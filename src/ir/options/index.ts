export { directiveText } from '../directive-text.js';
export * from './batch.js';
export * from './entity.js';
export * from './ml.js';
export * from './option.js';
export * from './params.js';
export * from './ray.js';
export * from './store.js';
export * from './values.js';
