import { networkInterfaces } from 'node:os';

/** Names of interfaces of fast networks, fastest first: Slingshot, InfiniBand, Omni-Path. */
const fast: readonly RegExp[] = [/^hsn\d/, /^ib\d/, /^ib[a-z]*\d/, /^opa\d/];

/** The interface that looks like the cluster's fast network; undefined where none does. */
export function fastInterface(names: readonly string[] = interfaceNames()): string | undefined {
  return fast.flatMap((pattern) => names.filter((name) => pattern.test(name)).sort())[0];
}

/** Interfaces that have an IPv4 address and are not the loopback. */
function interfaceNames(): string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    addresses?.some(({ family, internal }) => family === 'IPv4' && !internal) ? [name] : [],
  );
}
