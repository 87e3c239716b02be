import type { SiteInput } from '../ir/index.js';

/**
 * A site, kept in a file of its own (`export default defineSite({ … })`) and named by `--site FILE`. It is checked when it is used.
 *
 * @example
 * export default defineSite({ name: 'our-cluster', target: 'slurm', node: { cores: 64, gpus: 4 } });
 */
export function defineSite(site: SiteInput): SiteInput {
  return site;
}
