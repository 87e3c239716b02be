import { describe, expect, test } from 'vitest';
import { addressesOn, orTold, type Resolve } from '../../../src/runtime/allow/allow-hosts.js';

/** Names of a machine with two networks, as its /etc/hosts has them. */
function names(table: Readonly<Record<string, string>>): Resolve & { readonly asked: string[] } {
  const asked: string[] = [];
  const resolve: Resolve = async (name) => {
    asked.push(name);
    const address = table[name];
    if (address === undefined) throw new Error(`getaddrinfo ENOTFOUND ${name}`);
    return [address];
  };
  return Object.assign(resolve, { asked });
}

const hosts = ['node1', 'node2', 'node3'];
const plain = { node1: '10.0.0.1', node2: '10.0.0.2', node3: '10.0.0.3' };

describe('addresses of hosts that may use a store', () => {
  test('are those of their names', async () => {
    expect(await addressesOn(undefined, hosts, names(plain))).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  });

  test.each(['-ib0', 'ib0', '-ib', 'ib'])('are those of names like node1%s as well', async (ending) => {
    const others = Object.fromEntries(hosts.map((host, index) => [`${host}${ending}`, `10.1.0.${index + 1}`]));
    expect(await addressesOn('ib0', hosts, names({ ...plain, ...others }))).toEqual([
      ...['10.0.0.1', '10.0.0.2', '10.0.0.3'],
      ...['10.1.0.1', '10.1.0.2', '10.1.0.3'],
    ]);
  });

  test('keep the domain of a name', async () => {
    const table = { 'n1.cluster.org': '10.0.0.1', 'n1-hsn0.cluster.org': '10.1.0.1' };
    expect(await addressesOn('hsn0', ['n1.cluster.org'], names(table))).toEqual(['10.0.0.1', '10.1.0.1']);
  });

  test('of which the first is a service node, apart from the network', async () => {
    const table = {
      batch1: '10.0.0.9',
      ...plain,
      'node3-ib0': '10.1.0.3',
      'node1-ib0': '10.1.0.1',
      'node2-ib0': '10.1.0.2',
    };
    const found = await addressesOn('ib0', ['batch1', ...hosts], names(table));
    expect(found.slice(4)).toEqual(['10.1.0.1', '10.1.0.2', '10.1.0.3']);
  });

  test('cost few questions where there are no such names', async () => {
    const many = Array.from({ length: 1000 }, (_, index) => `n${index}`);
    const resolve = names(Object.fromEntries(many.map((host, index) => [host, `10.0.${index >> 8}.${index & 255}`])));
    expect(await addressesOn('eth1', many, resolve)).toHaveLength(1000);
    expect(resolve.asked.length).toBe(1008);
  });

  test('are those that a host has told where its name has none', async () => {
    const told = [{ host: 'node2.cluster', addresses: ['10.2.0.2', 'fd00::2'] }];
    const some = names({ node1: '10.0.0.1' });
    expect(await addressesOn('ib0', ['node1', 'node2'], orTold(told, new Set(), some))).toEqual([
      ...['10.0.0.1', '10.2.0.2', 'fd00::2'],
    ]);
    await expect(addressesOn(undefined, ['node3'], orTold(told, new Set(), some))).rejects.toMatchObject({
      code: 'RUN1004',
    });
    // It may yet tell them.
    expect(await addressesOn(undefined, ['node3'], orTold(told, new Set(['node3']), some))).toEqual([]);
  });

  test('a host without an address is an error that names it', async () => {
    await expect(addressesOn('ib0', ['node1', 'gone'], names(plain))).rejects.toMatchObject({
      code: 'RUN1004',
      message: expect.stringContaining('host gone of this job has no address'),
    });
  });
});
