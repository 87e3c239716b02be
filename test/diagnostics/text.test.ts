import { expect, test } from 'vitest';
import { counted, escapeControls } from '../../src/diagnostics/index.js';

test('a number with its noun', () => {
  expect([0, 1, 2].map((n) => counted(n, 'member'))).toEqual(['0 members', '1 member', '2 members']);
});

test('every control character is escaped, those above ASCII that terminals obey as well; nothing else is', () => {
  expect(escapeControls('a\nb\t\u001b[2J\u009b2J\u007f')).toBe('a\\nb\\t\\u001b[2J\\u009b2J\\u007f');
  expect(escapeControls('Größe "x" \\n')).toBe('Größe "x" \\n');
});
