import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tensorMethods, torchFunctions } from '../../src/torchscript/library/index.js';

test('docs/scripts.md lists the operations that need no PyTorch, and no others', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/scripts.md', import.meta.url)), 'utf8');
  const table = page.slice(page.indexOf('| elements |'), page.indexOf('Operations with `_`'));
  const listed = new Set([...table.matchAll(/`(\w+)`/g)].map(([, name]) => name as string));
  const known = new Set([...torchFunctions.keys(), ...tensorMethods.keys()]);
  // These only say that they need PyTorch.
  const refusing = ['half', 'bfloat16', 'requires_grad_'];
  expect([...known].filter((name) => !listed.has(name) && !name.endsWith('_') && !refusing.includes(name))).toEqual([]);
  const attributes = ['T', 'mT', 'shape', 'ndim', 'dtype', 'device'];
  expect([...listed].filter((name) => !known.has(name) && !attributes.includes(name))).toEqual([]);
});
