import type { SiteInput } from '../../ir/index.js';
import { archer2 } from './archer2.js';
import { aurora } from './aurora.js';
import { derecho } from './derecho.js';
import { frontier } from './frontier.js';
import { lumi } from './lumi.js';
import { perlmutter } from './perlmutter.js';
import { polaris } from './polaris.js';
import { summit } from './summit.js';

/** Machines of the catalogue, by their names. */
export const catalogSites: readonly SiteInput[] = [
  archer2,
  aurora,
  derecho,
  frontier,
  lumi,
  perlmutter,
  polaris,
  summit,
];
