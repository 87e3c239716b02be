import { describe, expect, test } from 'vitest';
import { ConfigTemplate } from '../../../src/runtime/configure/configure-template.js';

const render = (text: string | Buffer, params: Record<string, string | number | boolean>, delimiter = ';'): Buffer => {
  const template = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  return Buffer.from(new ConfigTemplate('input.in', template, delimiter, new Set(Object.keys(params))).render(params));
};

describe('ConfigTemplate', () => {
  test('keeps line ends and a last line without one', () => {
    expect(render('a = ;A;\r\nb\r\n;A;', { A: 1 }).toString()).toBe('a = 1\r\nb\r\n1');
  });

  test('keeps bytes that are no UTF-8', () => {
    const latin1 = Buffer.from('temp\xe9rature = ;T; \xb0C\x00\xff', 'latin1');
    expect(render(latin1, { T: 3 })).toEqual(Buffer.from('temp\xe9rature = 3 \xb0C\x00\xff', 'latin1'));
  });

  test.each(['$&', '$1', '\\1', '$$', ';X;', '{args}', "'; rm -rf /", '\u00e9\u{1f30a}', ''])(
    'writes %j as it is',
    (value) => {
      expect(render('<;A;>', { A: value, X: 'not this' }).toString()).toBe(`<${value}>`);
    },
  );

  test('writes numbers and booleans as JavaScript does', () => {
    expect(render(';A; ;B; ;C;', { A: 0.1, B: 1e21, C: true }).toString()).toBe('0.1 1e+21 true');
  });

  test('leaves code that looks like tags alone', () => {
    expect(render('for(i;j;k) a;b;c ;A;', { A: 1 }).toString()).toBe('for(i;j;k) a;b;c 1');
  });

  test('takes a delimiter of several characters', () => {
    expect(render('@@A@@ ;A;', { A: 1 }, '@@').toString()).toBe('1 ;A;');
  });

  test.each(['2D', 'Δx', 'a b', 'p;q', '$&'])('replaces %j, which is no word', (name) => {
    expect(render(`mode = ;${name};!`, { [name]: 3 }).toString()).toBe('mode = 3!');
  });

  test('a tag without a value is an error that names it', () => {
    expect(() => render('x = ;NEW;', { A: 1 })).toThrow("input.in has the tag 'NEW', for which there is no parameter");
  });
});
