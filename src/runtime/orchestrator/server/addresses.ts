import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** An address in one spelling: IPv4 behind `::ffff:` as IPv4, IPv6 in full lower-case groups, a zone left out. */
export function normalAddress(address: string): string {
  const plain = address.replace(/%.*$/, '').toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  return isIPv6(plain) ? groupsOf(plain).join(':') : plain;
}

/** The eight groups of an IPv6 address, four digits each. */
function groupsOf(address: string): string[] {
  const withHex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_whole, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  );
  const [head = '', tail] = withHex.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: missing }, () => '0'), ...after].map((group) => group.padStart(4, '0'));
}

/** True if a normal address is one of 127.0.0.0/8 or ::1. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '0000:0000:0000:0000:0000:0000:0000:0001';
}

/** True if a normal address is one of this host's own. */
export function isOwnAddress(address: string): boolean {
  return Object.values(networkInterfaces())
    .flatMap((infos) => infos ?? [])
    .some((info) => normalAddress(info.address) === address);
}

/** A normal address as the kernel's tables under `/proc/net` write it: `tcp` has IPv4, `tcp6` has both. */
export function kernelSpelling(address: string): { readonly tcp?: string; readonly tcp6: string } {
  if (isIPv4(address)) {
    const tcp = address
      .split('.')
      .reverse()
      .map((byte) => Number(byte).toString(16).padStart(2, '0'))
      .join('')
      .toUpperCase();
    return { tcp, tcp6: `0000000000000000FFFF0000${tcp}` };
  }
  const digits = address.split(':').join('');
  const words = digits.match(/.{8}/g) ?? [];
  return { tcp6: words.map(swapBytes).join('').toUpperCase() };
}

function swapBytes(word: string): string {
  return (word.match(/../g) ?? []).reverse().join('');
}
