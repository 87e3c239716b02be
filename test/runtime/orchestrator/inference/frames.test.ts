import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { backends } from '../../../../src/ml/backends.js';
import { elementBytes } from '../../../../src/ml/dtypes.js';
import {
  encodeFrame,
  FrameReader,
  type IncomingFrame,
  operations,
} from '../../../../src/runtime/orchestrator/inference/python/frames.js';

const worker = (file: string) =>
  readFileSync(new URL(`../../../../python/simwright/worker/${file}.py`, import.meta.url), 'utf8');

const sent = [
  {
    op: operations.ran,
    id: 7,
    model: 3,
    tensors: [
      {
        dtype: 'FLOAT' as const,
        shape: [3],
        parts: [new Uint8Array([1, 2, 3, 4]), new Uint8Array([5, 6, 7, 8, 9, 10, 11, 12])],
      },
      { dtype: 'INT8' as const, shape: [1, 3], parts: [new Uint8Array([1, 2, 3])] },
      { dtype: 'BOOL' as const, shape: [0, 4], parts: [] },
      { dtype: 'DOUBLE' as const, shape: [], parts: [new Uint8Array(8).fill(9)] },
    ],
    info: { micros: 12, text: 'ä' },
  },
  { op: operations.loaded, id: 0xffff_ffff, model: 1, info: { inputs: ['x'], outputs: [] } },
  { op: operations.ran, id: 2, model: 1 },
];
const bytes = Buffer.concat(sent.flatMap((frame) => encodeFrame(frame)));

describe('frames', () => {
  test('are read whatever the chunks in which they come', () => {
    expect(bytes.length % 8).toBe(0);
    for (const size of [1, 7, 31, 32, 33, 64, bytes.length]) {
      const frames: IncomingFrame[] = [];
      const reader = new FrameReader((frame) => frames.push(frame));
      for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size));
      expect(frames.map(({ op, id }) => [op, id])).toEqual(sent.map(({ op, id }) => [op, id]));
      expect(frames.map(({ info }) => info)).toEqual([sent[0]?.info, sent[1]?.info, {}]);
      expect(frames[0]?.outputs.map((output) => [output?.dtype, output?.shape])).toEqual([
        ['FLOAT', [3]],
        ['INT8', [1, 3]],
        ['BOOL', [0, 4]],
        ['DOUBLE', []],
      ]);
      const contents = frames[0]?.outputs.map((output) => [...new Uint8Array(output?.buffer as ArrayBuffer)]);
      expect(contents).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [1, 2, 3], [], Array(8).fill(9)]);
    }
  });

  test('that begin with something else are refused', () => {
    expect(() => new FrameReader(() => undefined).read(Buffer.alloc(32, 1))).toThrow('no frame begins here');
  });

  test('have the same numbers at both ends', () => {
    const python = worker('frames');
    const names = [...(/^DTYPES = \((.*)\)$/m.exec(python)?.[1]?.matchAll(/"(\w+)"/g) ?? [])].map(([, name]) => name);
    expect(names).toEqual(Object.keys(elementBytes));
    const lines = [...python.matchAll(/^([A-Z, ]+) = ([\d, ]+)$/gm)].flatMap(([, words = '', numbers = '']) => {
      const values = numbers.split(', ').map(Number);
      return words.split(', ').map((word, index) => [word.toLowerCase(), values[index]] as const);
    });
    expect(Object.fromEntries(lines)).toMatchObject(operations);
  });

  test("want the same packages, in the same versions, as the worker's own table", () => {
    const table = worker('frameworks');
    for (const { worker: wanted } of Object.values(backends)) {
      expect(table).toMatch(
        new RegExp(`"${wanted.import}",\\s*\\(\\s*"${wanted.package}"[^)]*\\),\\s*"${wanted.least}"`),
      );
    }
  });
});
