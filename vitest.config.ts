import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** Tests of `npm run test:quick`: all that need no build and no other program but bash. */
const quick = [
  'test/architecture.test.ts',
  'test/{conformance,diagnostics,dsl,ir,model-files,targets,testing}/**/*.test.ts',
  'test/compiler/*.test.ts',
  'test/runtime/{configure,job,launch,npy,status}/**/*.test.ts',
  'test/runtime/orchestrator/{resp,store,server,inference}/**/*.test.ts',
];

/** Tests among these that alone take more than half a minute. */
const slow = ['test/compiler/golden.test.ts', 'test/targets/quoting.test.ts', 'test/model-files/frameworks.test.ts'];

export default defineConfig({
  resolve: {
    alias: [
      { find: /^simwright$/, replacement: source('index.ts') },
      { find: /^simwright\/client$/, replacement: source('runtime/client/index.ts') },
      { find: /^simwright\/sites$/, replacement: source('sites/index.ts') },
      { find: /^simwright\/testing$/, replacement: source('testing/index.ts') },
      { find: /^simwright\/testing\/vitest$/, replacement: source('testing/vitest.ts') },
    ],
  },
  test: {
    include: process.env['SIMWRIGHT_TEST_QUICK'] === undefined ? ['test/**/*.test.ts'] : quick,
    exclude:
      process.env['SIMWRIGHT_TEST_QUICK'] === undefined ? configDefaults.exclude : [...configDefaults.exclude, ...slow],
    // Three times what they take on the slowest machine they have run on, as are the limits that tests name themselves.
    testTimeout: 180_000,
    hookTimeout: 360_000,
    globalSetup: ['test/helpers/nothing-left-running.ts'],
    pool: 'forks',
    // On two cores, too: every third second of a test is a wait for a scheduler, a launcher or a deadline.
    maxWorkers: 3,
    // CI counts from this report.
    ...(process.env['SIMWRIGHT_TEST_REPORT'] === undefined
      ? {}
      : { reporters: ['default', 'json'], outputFile: { json: process.env['SIMWRIGHT_TEST_REPORT'] } }),
  },
});
