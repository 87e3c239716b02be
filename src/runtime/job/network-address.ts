import { lookup } from 'node:dns/promises';
import { hostname, networkInterfaces } from 'node:os';
import { WorkflowError } from '../../diagnostics/index.js';

/** The address by which other nodes reach this one: that of the interface, or of the host's own name. Never a wildcard. */
export async function networkAddress(interfaceName: string | undefined): Promise<string> {
  const interfaces = networkInterfaces();
  if (interfaceName !== undefined) {
    const found = (interfaces[interfaceName] ?? []).find(({ family }) => family === 'IPv4');
    if (found !== undefined) return found.address;
    throw new WorkflowError({
      code: 'RUN1004',
      message: `${hostname()} has no network interface '${interfaceName}' with an IPv4 address`,
      hint: `it has: ${Object.keys(interfaces).join(', ')}; set networkInterface in the site`,
    });
  }
  const named = await lookup(hostname(), { family: 4 }).catch(() => undefined);
  if (named !== undefined && !named.address.startsWith('127.')) return named.address;
  // Some systems give a host's own name a loopback address.
  const outer = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return outer?.address ?? '127.0.0.1';
}

/** Addresses that this host's connections to other hosts may come from: of all interfaces and families, but loopback and those of one link only. */
export function outerAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).flatMap(({ address, internal }) =>
      internal || /^(fe[89ab].:|169\.254\.)/i.test(address) ? [] : [address],
    ),
  );
}

/** Name of a host of the job. Some schedulers tell node ids, which would be read as addresses: node 12 of a Cray XC is nid00012. */
export function nameOfHost(host: string): string {
  return /^\d+$/.test(host) ? `nid${host.padStart(5, '0')}` : host;
}
