import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readModelHeader } from '../../src/model-files/index.js';
import { randomOf } from '../runtime/orchestrator/support/mutations.js';
import { field } from '../runtime/orchestrator/support/onnx.js';
import { expectedHeaders } from './support/expected.js';
import { backendOf, models, modelsIn, readOrRefuse } from './support/models.js';

/** Models that are read, with their bytes. */
const whole = modelsIn(models)
  .filter((file) => typeof expectedHeaders[file] === 'object')
  .map((file) => ({ file, backend: backendOf(file), bytes: readFileSync(join(models, file)) }));

test('a model that is cut short is refused as such', () => {
  for (const { file, backend, bytes } of whole) {
    // Every byte near the end, where a list of files or the last table is, and every ninth before.
    for (let length = 1; length < bytes.length; length += length < bytes.length - 100 ? 9 : 1) {
      const read = readOrRefuse(bytes.subarray(0, length), backend);
      // A graph may end after any of its nodes.
      if (file === 'frozen.pb' && typeof read === 'object') continue;
      expect(read, `${file} of ${length} bytes`).toMatch(/^malformed: is no \w+ model: /);
    }
  }
});

test('a damaged model is read or refused, and nothing else happens', () => {
  const random = randomOf(20);
  for (const { backend, bytes } of whole) {
    for (let round = 0; round < 100; round += 1) {
      const damaged = Buffer.from(bytes);
      for (let changes = 1 + Math.floor(random() * 4); changes > 0; changes -= 1) {
        damaged[Math.floor(random() * damaged.length)] = random() < 0.5 ? 255 : Math.floor(random() * 256);
      }
      readOrRefuse(damaged, backend);
    }
  }
});

test('lengths in a file are no sizes of memory', () => {
  // A directory of 2^32 - 2 files, of which there is none.
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(65_534, 10);
  end.writeUInt32LE(4, 16);
  expect(readOrRefuse(Buffer.concat([Buffer.from('PK\x03\x04'), end]), 'TORCH')).toBe(
    'malformed: is no TORCH model: its list of files is damaged',
  );
  const tflite = Buffer.from(readFileSync(join(models, 'net.tflite')));
  for (let at = 8; at + 4 <= tflite.length; at += 4) {
    const damaged = Buffer.from(tflite);
    damaged.writeUInt32LE(0x7fffffff, at);
    readOrRefuse(damaged, 'TFLITE');
  }
});

test('a deep graph of ONNX is no deep stack', () => {
  let message: Buffer = Buffer.from([]);
  // Attribute (g = 6), graph (node = 1), node (attribute = 5), and so on.
  for (let depth = 0; depth < 3000; depth += 1) message = field(1, field(5, field(6, message)));
  const graph = Buffer.concat([message, field(12, field(1, 'y'))]);
  expect(readModelHeader(Buffer.concat([field(1, 8), field(7, graph)]), 'ONNX').outputs).toHaveLength(1);
});

test('a model of 3 GiB is read without its weights', () => {
  // The weights are a hole in the file, which reads as zeros and takes no place.
  const path = join(models, '..', `huge-${process.pid}.pb`);
  onTestFinished(() => rmSync(path, { force: true }));
  const { bytes } = whole.find(({ file }) => file === 'frozen.pb') as (typeof whole)[number];
  const weights = 3 * 2 ** 30;
  const named = Buffer.concat([field(1, 'w'), field(2, 'Const')]);
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
  const attribute = Buffer.from([5 * 8 + 2, ...varint(weights)]);
  const node = Buffer.from([8 + 2, ...varint(named.length + attribute.length + weights)]);
  const head = Buffer.concat([node, named, attribute]);
  const file = openSync(path, 'w');
  writeSync(file, head);
  writeSync(file, bytes, 0, bytes.length, head.length + weights);
  closeSync(file);
  const before = process.memoryUsage().rss;
  expect(readModelHeader(path, 'TF')).toMatchObject({ inputs: [{ name: 'x' }] });
  expect(process.memoryUsage().rss - before).toBeLessThan(256 * 2 ** 20);
});
