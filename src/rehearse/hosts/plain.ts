import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Hosts, otherNames } from './hosts.js';

/** Hosts that are but names, where the machine gives no namespaces: they share loopback, addresses and /tmp. */
export class PlainHosts implements Hosts {
  readonly says = 'by name only: they share one network and one /tmp, since this machine gives its users no namespaces';
  readonly #folder: string;

  constructor(names: readonly string[], state: string, interfaces: readonly string[]) {
    this.#folder = join(state, 'plain');
    mkdirSync(this.#folder);
    const known = names.flatMap((name) => [name, ...otherNames(name)]);
    writeFileSync(join(this.#folder, 'host.cjs'), hostModule(known, interfaces));
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

/** Module that gives programs of Node.js the name of their host, the interfaces that stores want, and one address for all: that of this machine. */
const hostModule = (names: readonly string[], interfaces: readonly string[]) => `'use strict';
const name = process.env.SIMWRIGHT_REHEARSAL_HOST;
if (name) {
  const os = require('node:os');
  os.hostname = () => name;
  const { networkInterfaces } = os;
  const here = { address: '127.0.0.1', netmask: '255.0.0.0', family: 'IPv4', mac: '00:00:00:00:00:00', cidr: '127.0.0.1/8', internal: false };
  os.networkInterfaces = () => ({ ...Object.fromEntries(${JSON.stringify(interfaces)}.map((one) => [one, [here]])), ...networkInterfaces() });
  const names = new Set(${JSON.stringify(names)});
  const dns = require('node:dns');
  const { lookup } = dns;
  dns.lookup = (host, ...rest) => lookup(names.has(host) ? '127.0.0.1' : host, ...rest);
  const later = dns.promises.lookup;
  dns.promises.lookup = (host, ...rest) => later(names.has(host) ? '127.0.0.1' : host, ...rest);
  require('node:module').syncBuiltinESMExports();
}
`;
