import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hosts } from './hosts.js';

/** Hosts that are but names, where the machine gives no namespaces: they share loopback, addresses and /tmp. */
export class PlainHosts implements Hosts {
  readonly says = 'by name only: they share one network and one /tmp, since this machine gives its users no namespaces';
  readonly #folder: string;

  constructor(_names: readonly string[], state: string) {
    this.#folder = join(state, 'plain');
    mkdirSync(this.#folder);
    writeFileSync(join(this.#folder, 'host.cjs'), hostModule);
  }

  async ready(): Promise<void> {}

  enter(): readonly string[] {
    return [];
  }

  environment(host: string): Readonly<Record<string, string>> {
    const own = `--require ${join(this.#folder, 'host.cjs')}`;
    const before = (process.env['NODE_OPTIONS'] ?? '').replace(own, '').trim();
    return { HOSTNAME: host, SIMWRIGHT_REHEARSAL_HOST: host, NODE_OPTIONS: before === '' ? own : `${before} ${own}` };
  }

  cut(): void {}
}

/** Module that gives programs of Node.js the name of their host. */
const hostModule = `'use strict';
const name = process.env.SIMWRIGHT_REHEARSAL_HOST;
if (name) require('node:os').hostname = () => name;
`;
