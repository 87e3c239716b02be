import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^simwright$/, replacement: source('index.ts') },
      { find: /^simwright\/client$/, replacement: source('runtime/client/index.ts') },
      { find: /^simwright\/testing$/, replacement: source('testing/index.ts') },
      { find: /^simwright\/testing\/vitest$/, replacement: source('testing/vitest.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    // CI counts from this report.
    ...(process.env['SIMWRIGHT_TEST_REPORT'] === undefined
      ? {}
      : { reporters: ['default', 'json'], outputFile: { json: process.env['SIMWRIGHT_TEST_REPORT'] } }),
  },
});
