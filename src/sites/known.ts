import type { SiteInput } from '../ir/index.js';
import { builtInSites } from './built-in.js';
import { catalogSites } from './catalog/index.js';

/** Sites that are known by name: one of each scheduler, and the machines of the catalogue. */
export const knownSites: readonly SiteInput[] = [...builtInSites, ...catalogSites];
