import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCodes } from '../../src/diagnostics/index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const codes = Object.keys(errorCodes) as ErrorCode[];

function textsBelow(folder: string): Map<string, string> {
  const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'codes.ts' && entry.name !== 'codes.test.ts',
    )
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
}

const sources = textsBelow('src');
const tests = textsBelow('test');
const page = readFileSync(join(root, 'docs/errors.md'), 'utf8');

describe.each(codes)('%s', (code) => {
  test('is raised somewhere', () => {
    expect([...sources.values()].some((text) => text.includes(`'${code}'`))).toBe(true);
  });

  test('is raised by a test', () => {
    expect([...tests.values()].some((text) => text.includes(code))).toBe(true);
  });

  test('has a heading with its title, and what to do, in docs/errors.md', () => {
    const [, section] = page.split(`\n## ${code}: ${errorCodes[code]}\n`);
    const text = section?.split('\n## ')[0]?.trim() ?? '';
    expect(text.split('\n').length).toBeGreaterThanOrEqual(3);
    expect(text).toMatch(/^> /m);
  });
});

test('docs/errors.md has no code that there is not, and keeps the order of the table', () => {
  expect([...page.matchAll(/^## ([A-Z]+\d+):/gm)].map(([, code]) => code)).toEqual(codes);
});

test('code names no code that there is not', () => {
  const named = [...sources.values()].flatMap((text) =>
    [...text.matchAll(/'((?:DSL|LOAD|TYPE|SITE|FILE|TMPL|ML|REF|STORE|PLAN|OUT|CLI|TNSR|RUN|JOB)\d{4})'/g)].map(
      ([, code]) => code,
    ),
  );
  expect(named.filter((code) => !(String(code) in errorCodes))).toEqual([]);
});
