/** The catalogue of machines: `import { frontier } from 'simwright/sites'`. */
export { archer2 } from './catalog/archer2.js';
export { aurora } from './catalog/aurora.js';
export { derecho } from './catalog/derecho.js';
export { frontier } from './catalog/frontier.js';
export { catalogSites } from './catalog/index.js';
export { lumi } from './catalog/lumi.js';
export { perlmutter } from './catalog/perlmutter.js';
export { polaris } from './catalog/polaris.js';
export { summit } from './catalog/summit.js';
