import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NpyError, npyHeader, parseNpy } from '../../../src/runtime/npy/npy.js';
import { smartredisPython } from '../orchestrator/support/python.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'simwright-npy-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dtypes = ['FLOAT', 'DOUBLE', 'INT8', 'INT16', 'INT32', 'INT64', 'UINT8', 'UINT16'] as const;
const sizes = { FLOAT: 4, DOUBLE: 8, INT8: 1, INT16: 2, INT32: 4, INT64: 8, UINT8: 1, UINT16: 2 };

test.each(dtypes)('what is written of %s is read again', (dtype) => {
  for (const shape of [[], [1], [3], [2, 3], [2, 1, 3, 4]]) {
    const data = Buffer.alloc(shape.reduce((product, size) => product * size, 1) * sizes[dtype], 1);
    const header = npyHeader(dtype, shape);
    expect(header.length % 64).toBe(0);
    expect(parseNpy(Buffer.concat([header, data]))).toEqual({ dtype, shape, dataAt: header.length });
  }
});

test.each([
  ['nothing', Buffer.alloc(0), 'it is no .npy file'],
  ['something else', Buffer.from('something else entirely'), 'it is no .npy file'],
  ['too few elements', npyHeader('FLOAT', [2]), 'it has 0 bytes of elements where its shape needs 8'],
  ['half a header', npyHeader('FLOAT', [2]).subarray(0, 40), 'it is cut short'],
  ['another type', patched("'<f4'", "'<c8'"), "its element type is '<c8'; a tensor can hold <f4, <f8"],
  ['big-endian', patched("'<f4'", "'>f4'"), "its element type is '>f4'"],
  ['Fortran order', patched('False', 'True '), 'its elements are in Fortran order'],
  ['another version', Buffer.concat([Buffer.from('\x93NUMPY\x04\0', 'latin1'), Buffer.alloc(20)]), 'it has version 4'],
])('%s is refused', (_name, bytes, text) => {
  expect(() => parseNpy(bytes)).toThrow(NpyError);
  expect(() => parseNpy(bytes)).toThrow(text);
});

function patched(before: string, after: string): Buffer {
  const header = npyHeader('FLOAT', [1, 1]).toString('latin1').replace(before, after);
  return Buffer.concat([Buffer.from(header, 'latin1'), Buffer.alloc(4)]);
}

const found = await smartredisPython();
describe.skipIf('missing' in found)(`beside NumPy${'missing' in found ? ` (skipped: ${found.missing})` : ''}`, () => {
  const python = (source: string) =>
    execFileSync('python' in found ? found.python : '', ['-c', source], { cwd: folder });

  test('NumPy reads what is written', () => {
    const data = Buffer.from(Int16Array.from([1, -2, 3, -4, 5, -6]).buffer);
    writeFileSync(join(folder, 'ours.npy'), Buffer.concat([npyHeader('INT16', [3, 2]), data]));
    const printed = python("import numpy; a = numpy.load('ours.npy'); print(a.dtype, a.tolist())");
    expect(String(printed)).toBe('int16 [[1, -2], [3, -4], [5, -6]]\n');
  });

  test('what NumPy writes is read', () => {
    python(
      "import numpy as n\nfor t in 'f4 f8 i1 i2 i4 i8 u1 u2'.split(): n.save(t, n.arange(6).reshape(2, 3).astype(t))\nn.save('f', n.asfortranarray(n.ones((2, 3))))",
    );
    for (const [index, name] of ['f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2'].entries()) {
      const { dtype, shape } = parseNpy(readFileSync(join(folder, `${name}.npy`)));
      expect([dtype, shape]).toEqual([dtypes[index], [2, 3]]);
    }
    expect(() => parseNpy(readFileSync(join(folder, 'f.npy')))).toThrow('Fortran order');
  });
});
