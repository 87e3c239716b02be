import { expect, test } from 'vitest';
import { formatClock, parseMemoryMiB, parseWalltime } from '../../src/ir/index.js';

test.each([
  ['02:00:00', 7200],
  ['2:0:0', 7200],
  ['00:00:45', 45],
  ['100:00:00', 360_000],
  ['1-12:00:00', 129_600],
  ['PT2H', 7200],
  ['PT2H30M', 9000],
  ['PT90S', 90],
  ['P1D', 86_400],
  ['P1DT12H', 129_600],
])('walltime %s', (text, seconds) => {
  expect(parseWalltime(text)).toBe(seconds);
});

test.each([
  '',
  '10:30',
  '90',
  '1-12',
  '00:00:00',
  'PT',
  'P',
  'PT0S',
  'P1DT',
  '2h',
  '01:60:00',
  '-1:00:00',
  '1:00:00 ',
  'pt2h',
])('no walltime: %j', (text) => {
  expect(parseWalltime(text)).toBeUndefined();
});

test.each([
  ['8G', 8192],
  ['512M', 512],
  ['512MB', 512],
  ['512MiB', 512],
  ['1.5T', 1_572_864],
  ['1K', 1],
  ['1025k', 2],
  [' 2 g ', 2048],
])('memory %s', (text, mebibytes) => {
  expect(parseMemoryMiB(text)).toBe(mebibytes);
});

test.each(['', '8', 'G', '0G', '-1G', '8X', '8GG', '1e3M'])('no memory: %j', (text) => {
  expect(parseMemoryMiB(text)).toBeUndefined();
});

test('seconds as a clock, hours beyond a day', () => {
  expect([0, 59, 3661, 95_400].map(formatClock)).toEqual(['00:00:00', '00:00:59', '01:01:01', '26:30:00']);
});
