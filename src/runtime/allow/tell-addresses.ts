import { hostname } from 'node:os';
import { outerAddresses } from '../job/network-address.js';

/** Writes this host's name and addresses on standard output, as one line of JSON. */
export function tellAddresses(): number {
  process.stdout.write(`${JSON.stringify({ host: hostname(), addresses: outerAddresses() })}\n`);
  return 0;
}
