import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findTags } from '../../src/ir/index.js';

/** Tags of a template, as `NAME@LINE:COLUMN`. */
function tagsOf(template: string, parameters: readonly string[] = [], delimiter = ';'): string[] {
  return findTags(Buffer.from(template), delimiter, new Set(parameters)).map(
    ({ name, line, column }) => `${name}@${line}:${column}`,
  );
}

describe('tags in what people write', () => {
  test('a namelist of Fortran, with comments that begin with the delimiter', () => {
    const text = "&run ! the ;RE; of the flow\n  nu = ;NU; ; lid = ;LID;\n  file = 'out_;STEP;.dat'\n/\n";
    expect(tagsOf(text, ['STEP'])).toEqual(['RE@1:12', 'NU@2:8', 'LID@2:21', 'STEP@3:15']);
  });

  test('a dictionary of OpenFOAM, where each line ends with the delimiter', () => {
    const text =
      'FoamFile\n{\n    version 2.0;\n    format ascii;\n}\nnu              ;NU;;\ninlet { type fixedValue; value uniform (;U; 0 0); }\n';
    expect(tagsOf(text)).toEqual(['NU@6:17', 'U@7:41']);
    expect(tagsOf('a 1;b 2;c 3;\nstartTime 0;endTime 1;\n')).toEqual([]);
  });

  test('a program in C: code holds no tags but those of parameters', () => {
    const text = 'for(i;j;k) a[0];b;c(1);x;d();\nint n = ;N;; double t=;T;;\ndone;N;done';
    expect(tagsOf(text)).toEqual(['N@2:9', 'T@2:23']);
    expect(tagsOf(text, ['N'])).toEqual(['N@2:9', 'T@2:23', 'N@3:5']);
  });

  test('another delimiter, of several signs, taken literally', () => {
    expect(tagsOf('a = @@RE@@ $HOME ;X; x@@RE@@y', [], '@@')).toEqual(['RE@1:5', 'RE@1:23']);
    expect(tagsOf('.*RE.*', [], '.*')).toEqual(['RE@1:1']);
  });

  test('what only looks like one', () => {
    expect(tagsOf('; RE; ;RE ; ;1RE; ;; ;\nRE; ;R E;')).toEqual([]);
  });

  test('any other bytes stay out of it', () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe, 0, 0x80]), Buffer.from(';RE;'), Buffer.from([0xe9, 10])]);
    expect(findTags(bytes, ';', new Set()).map(({ name, start, end }) => [name, start, end])).toEqual([['RE', 4, 8]]);
  });
});

describe('names of parameters that are no words', () => {
  test.each(['2D', 'Δx', 'a b', 'x/y', 'p;q', 'two\nlines', '*', '\u{1f30a}'])(
    '%j is a tag where it stands between delimiters',
    (name) => {
      const text = `a = ;${name};\nb=x;${name};y ;other;\n`;
      const found = findTags(Buffer.from(text), ';', new Set([name, 'x']));
      expect(found.map((tag) => tag.name)).toEqual([name, name, 'other']);
      for (const { start, end } of found.slice(0, 2)) {
        expect(Buffer.from(text).subarray(start, end).toString()).toBe(`;${name};`);
      }
      expect(tagsOf(text, ['x'])).not.toContain(`${name}@1:5`);
    },
  );

  test('in a file in Latin-1, where the name has its letters', () => {
    const bytes = Buffer.from('température = ;é;', 'latin1');
    expect(findTags(bytes, ';', new Set(['é'])).map(({ name, end }) => [name, end])).toEqual([['é', bytes.length]]);
  });
});

test('a template of one line is looked through once, however many tags it has', () => {
  const tags = 400_000;
  const template = Buffer.from('a;RE;b '.repeat(tags));
  const start = process.cpuUsage();
  const found = findTags(template, ';', new Set(['RE']));
  const { user } = process.cpuUsage(start);
  expect(found.length).toBe(tags);
  expect(found.at(-1)).toEqual({ name: 'RE', start: 7 * tags - 6, end: 7 * tags - 2, line: 1, column: 7 * tags - 5 });
  // Once for each tag it would take an hour.
  expect(user / 1e6).toBeLessThan(20);
});

test('every tag of a parameter is found, wherever it stands', () => {
  const filler = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '=', '(', 'é', '1'), maxLength: 12 });
  fc.assert(
    fc.property(fc.array(fc.tuple(filler, fc.constantFrom('RE', 'LID')), { maxLength: 6 }), filler, (parts, end) => {
      const template = `${parts.map(([text, name]) => `${text};${name};`).join('')}${end}`;
      const found = findTags(Buffer.from(template), ';', new Set(['RE', 'LID']));
      expect(found.map(({ name }) => name)).toEqual(parts.map(([, name]) => name));
      for (const { name, start, end: stop, line, column } of found) {
        expect(Buffer.from(template).subarray(start, stop).toString()).toBe(`;${name};`);
        const before = Buffer.from(template).subarray(0, start).toString('latin1');
        expect([line, column]).toEqual([before.split('\n').length, before.length - before.lastIndexOf('\n')]);
      }
    }),
  );
});
