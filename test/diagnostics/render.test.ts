import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  callerLocation,
  nearest,
  type Problem,
  Problems,
  renderProblem,
  renderProblems,
  suggestion,
  WorkflowError,
} from '../../src/diagnostics/index.js';
import { workspace } from '../compiler/support/workspace.js';

const problem = (more: Partial<Problem>): Problem => ({
  code: 'REF1001',
  severity: 'error',
  message: 'no such entity',
  ...more,
});

describe('a problem as text', () => {
  test('shows the line, with the word underlined, and the hint', () => {
    const cwd = workspace({ 'workflow.ts': "one\n\t  .after('x')\n" });
    const at = { file: join(cwd, 'workflow.ts'), line: 2, column: 5 };
    expect(renderProblem(problem({ at, hint: "did you mean 'y'?" }), { cwd })).toBe(
      [
        'error[REF1001]: no such entity',
        '  --> workflow.ts:2:5',
        '  |',
        "2 | \t  .after('x')",
        '  | \t   ^^^^^',
        "   hint: did you mean 'y'?",
      ].join('\n'),
    );
  });

  test('underlines a tag as a whole, and takes control characters out of the line', () => {
    const cwd = workspace({});
    writeFileSync(join(cwd, 'in.lbm'), 'a\u001b[31m ;LID; b\r\n');
    const at = { file: join(cwd, 'in.lbm'), line: 1, column: 8 };
    expect(renderProblem(problem({ at }), { cwd }).split('\n').slice(-2)).toEqual([
      '1 | a?[31m ;LID; b',
      '  |        ^^^^^',
    ]);
  });

  test('shows the place alone when its file or line is gone, and an absolute path far away', () => {
    expect(renderProblem(problem({ at: { file: '/none/w.ts', line: 3, column: 1 } }), { cwd: '/a/b/c' })).toBe(
      'error[REF1001]: no such entity\n  --> /none/w.ts:3:1',
    );
  });

  test('counts errors and warnings', () => {
    const text = renderProblems([problem({}), problem({}), problem({ severity: 'warning', code: 'TMPL1002' })], {
      cwd: '/',
    });
    expect(text.split('\n').at(-1)).toBe('2 errors, 1 warning');
  });

  test('shows the part of a long line that is meant', () => {
    const folder = workspace({ long: `${'x'.repeat(2_000_000)};TAG;${'y'.repeat(2_000_000)}\n` });
    const at = { file: join(folder, 'long'), line: 1, column: 2_000_001 };
    const lines = renderProblem(problem({ at }), { cwd: folder }).split('\n');
    const [source = '', mark = ''] = lines.slice(3, 5);
    expect(source.length).toBeLessThan(200);
    expect(source.slice(mark.indexOf('^'), mark.lastIndexOf('^') + 1)).toBe(';TAG;');
    expect(source).toMatch(/^1 \| …x+;TAG;y+…$/);
  });

  test('has colours only where they are asked for', () => {
    const paint = '\u001b[';
    expect(renderProblem(problem({}), { cwd: '/', colour: true })).toContain(paint);
    expect(renderProblem(problem({}), { cwd: '/' })).not.toContain(paint);
  });
});

test('problems are sorted by place, those without one last', () => {
  const problems = new Problems();
  const at = (file: string, line: number, column: number) => ({ file, line, column });
  problems.error('DSL1001', 'last', undefined);
  problems.error('DSL1001', 'third', at('b', 1, 1));
  problems.warning('TMPL1002', 'second', at('a', 10, 2));
  problems.error('DSL1001', 'first', at('a', 9, 30));
  expect(problems.sorted().map(({ message }) => message)).toEqual(['first', 'second', 'third', 'last']);
  expect(() => problems.throwIfErrors()).toThrow(WorkflowError);
});

test('warnings alone stop nothing', () => {
  const problems = new Problems();
  problems.warning('TMPL1002', 'unused', undefined);
  expect([problems.hasErrors, problems.throwIfErrors()]).toEqual([false, undefined]);
});

test('an error of one problem keeps its cause', () => {
  const cause = new Error('deeper');
  const error = new WorkflowError({ code: 'OUT1002', message: 'm', hint: 'h', cause });
  expect([error.code, error.hint, error.at, error.cause, error.problems.length]).toEqual([
    'OUT1002',
    'h',
    undefined,
    cause,
    1,
  ]);
});

test('the nearest word, if it is near', () => {
  expect(nearest('simulatoin', ['analysis', 'simulation'])).toBe('simulation');
  expect(nearest('x', ['simulation'])).toBeUndefined();
  expect([suggestion('x', ['simulation', 'mesh']), suggestion('x', [])]).toEqual([
    'there are: simulation, mesh',
    'there are none',
  ]);
});

test('the place of a call is that of the call itself, and the settings of stacks stay as they are', () => {
  const { stackTraceLimit, prepareStackTrace } = Error;
  const inner = () => callerLocation(inner);
  const [first, second] = [inner(), inner()];
  expect(first?.file).toBe(new URL(import.meta.url).pathname);
  expect((second?.column ?? 0) - (first?.column ?? 0)).toBe('inner(), '.length);
  expect([Error.stackTraceLimit, Error.prepareStackTrace]).toEqual([stackTraceLimit, prepareStackTrace]);
});
