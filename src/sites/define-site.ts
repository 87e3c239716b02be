import type { ExtendingSite, SiteInput } from '../ir/index.js';

/**
 * A site, kept in a file of its own (`export default defineSite({ … })`) and named by `--site FILE`. It is checked when it is used. With
 * `extends` it is another site with changes.
 *
 * @example
 * export default defineSite({ name: 'our-cluster', target: 'slurm', node: { cores: 64, gpus: 4 } });
 */
export function defineSite(site: SiteInput): SiteInput;
export function defineSite(site: ExtendingSite): ExtendingSite;
export function defineSite(site: SiteInput | ExtendingSite): SiteInput | ExtendingSite {
  return site;
}
