import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastGlob from 'fast-glob';
import { expect, test } from 'vitest';
import { root } from './helpers/simwright.js';

/** The limit of a test that names none, in milliseconds: see vitest.config.ts. */
const usual = Number(
  /testTimeout: ([\d_]+)/.exec(readFileSync(join(root, 'vitest.config.ts'), 'utf8'))?.[1]?.replaceAll('_', ''),
);

test('no test names a limit below the usual one: machines are up to three times as slow as the one it was tried on', () => {
  expect(usual).toBeGreaterThanOrEqual(180_000);
  const short = fastGlob.sync('test/**/*.test.ts', { cwd: root }).flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => {
        const limit = /^\s*\}, (\d+_000)\);$|^(?:describe|\s*test).*\{ timeout: (\d+_000) \}/.exec(line);
        const milliseconds = Number((limit?.[1] ?? limit?.[2])?.replaceAll('_', ''));
        return milliseconds < usual ? [`${file}:${index + 1} ${milliseconds}`] : [];
      }),
  );
  expect(short).toEqual([]);
});
