import { totalmem } from 'node:os';
import { expect, test } from 'vitest';
import { memoryLimitBytes, objectStoreBytes } from '../../src/runtime/ray-node/memory-limit.js';

test('a limit below the machine’s memory makes the object store smaller, down to what Ray needs', () => {
  expect(objectStoreBytes(1024 ** 3)).toBe(Math.floor(1024 ** 3 * 0.3));
  expect(objectStoreBytes(1024 ** 2)).toBe(80 * 1024 ** 2);
  expect(objectStoreBytes(totalmem())).toBeUndefined();
  expect(objectStoreBytes(Number.POSITIVE_INFINITY)).toBeUndefined();
});

test('groups that do not exist limit nothing', () => {
  expect(memoryLimitBytes('0::/no/such/group/of/simwright\n')).toBeGreaterThan(0);
  expect(memoryLimitBytes('')).toBe(Number.POSITIVE_INFINITY);
});
