import * as z from 'zod';
import type { SetupOptions } from './entity.js';
import { choice, list, type Options, type OptionsOf, own, value } from './option.js';
import { nonEmptyText, plainText, port, positive } from './values.js';

export const rayOptions = {
  /** Nodes of the cluster; the first one is its head. @default 1 */
  nodes: value(positive).or(1),
  /** CPUs of each node that Ray shares out. @default the site's cores; on this machine all that it has */
  cpusPerNode: value(positive),
  /** GPUs of each node that Ray shares out. @default none */
  gpusPerNode: value(positive),
  /** Port of the head. @default a free one */
  port: value(port),
  /** Port of the dashboard, which listens on loopback. @default a free one */
  dashboardPort: value(port),
  /** Further arguments of `ray start` on the head. */
  headArgs: list(plainText).or([]),
  /** Further arguments of `ray start` on the other nodes. */
  workerArgs: list(plainText).or([]),
  /** Python that has Ray: a program of the PATH, or an absolute path. @default the site's, else 'python3' */
  python: value(nonEmptyText),
  /** Proof that Ray asks of everybody: a token of the cluster's own, or none, with which any user of its network may run code. @default 'token' */
  auth: choice(z.enum(['token', 'none'])).or('token'),
};

export const rayClusterOptions = {
  ...rayOptions,
  /** Modules and lines of shell that come before its start, as of `.setup()`. */
  setup: own(z.unknown()).typed<SetupOptions>(),
};

/** A Ray cluster. */
export interface RayClusterOptions extends OptionsOf<typeof rayClusterOptions>, Options {}
