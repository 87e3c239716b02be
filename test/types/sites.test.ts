import { expect, test } from 'vitest';
import { diagnosticsOf } from './support.js';

const site = (fields: string) => `import { defineSite } from 'simwright';\nexport default defineSite({ ${fields} });\n`;

test.each([
  "name: 's', target: 'slurm', queues: { a: { default: true, bins: [{ maxNodes: 1, maxWalltime: '01:00:00' }] } }",
  "name: 's', target: 'pbs', wrapper: { words: ['bind.sh', '-v'] }, launcherArgs: { pals: { 'no-vni': true } }, required: ['account']",
  "extends: 'slurm', name: 's', node: { cores: 4 }",
  "extends: { name: 's', target: 'slurm' }, queues: { debug: null }, node: { gpus: null }, wrapper: null",
  "extends: defineSite({ extends: './centre.ts', modules: ['a'] }), defaults: { account: 'a' }",
])('is a site: %s', (fields) => {
  expect(diagnosticsOf(site(fields))).toEqual([]);
});

test.each([
  ["name: 's'", 'target'],
  ["name: 's', target: 'slurm', node: { core: 4 }", "'core' does not exist"],
  ["name: 's', target: 'slurm', queues: { a: { maxNode: 4 } }", "'maxNode' does not exist"],
  ["name: 's', target: 'slurm', launcherArgs: { none: {} }", "'none' does not exist"],
  ["extends: 'slurm', node: { cores: 'four' }", "'string' is not assignable to type 'number"],
])('is none: %s', (fields, words) => {
  const found = diagnosticsOf(site(fields));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(words);
});
