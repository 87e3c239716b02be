import { expect, test } from 'vitest';
import {
  DoubleReply,
  ErrorReply,
  MapReply,
  nilArray,
  PinnedBytes,
  type Protocol,
  type Reply,
  SetReply,
  SimpleString,
  VerbatimReply,
} from '../../../../src/runtime/orchestrator/resp/reply.js';
import { ReplyEncoder } from '../../../../src/runtime/orchestrator/resp/reply-encoder.js';

function encoded(reply: Reply, protocol: Protocol = 2): string {
  const encoder = new ReplyEncoder();
  encoder.add(reply, protocol);
  return Buffer.concat(encoder.take().pieces).toString('latin1');
}

test.each<[Reply, string]>([
  [new SimpleString('OK'), '+OK\r\n'],
  [new ErrorReply('ERR two\r\nlines'), '-ERR two  lines\r\n'],
  [-3, ':-3\r\n'],
  [2n ** 63n - 1n, ':9223372036854775807\r\n'],
  [null, '$-1\r\n'],
  ['', '$0\r\n\r\n'],
  ['ü', '$2\r\n\u00c3\u00bc\r\n'],
  [Buffer.from([0, 255, 13, 10]), '$4\r\n\0\u00ff\r\n\r\n'],
  [[], '*0\r\n'],
  [[1, ['a', null]], '*2\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n'],
])('%s', (reply, bytes) => {
  expect(encoded(reply)).toBe(bytes);
});

test.each<[string, Reply, old: string, now: string]>([
  ['nil', null, '$-1\r\n', '_\r\n'],
  ['nil array', nilArray, '*-1\r\n', '_\r\n'],
  [
    'map',
    new MapReply(['a', 1, 'b', null]),
    '*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n$-1\r\n',
    '%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n_\r\n',
  ],
  ['set', new SetReply([1, 2]), '*2\r\n:1\r\n:2\r\n', '~2\r\n:1\r\n:2\r\n'],
  ['double', new DoubleReply('1.5'), '$3\r\n1.5\r\n', ',1.5\r\n'],
  ['text', new VerbatimReply('ü'), '$2\r\n\u00c3\u00bc\r\n', '=6\r\ntxt:\u00c3\u00bc\r\n'],
])('%s in RESP2 and RESP3', (_name, reply, old, now) => {
  expect(encoded(reply)).toBe(old);
  expect(encoded(reply, 3)).toBe(now);
});

test('large bytes are handed on, not copied', () => {
  const encoder = new ReplyEncoder();
  const tensor = Buffer.alloc(1_000_000, 5);
  let released = 0;
  encoder.add(['blob', new PinnedBytes(tensor, () => (released += 1))]);
  const { pieces, releases } = encoder.take();
  expect(pieces).toContain(tensor);
  expect(Buffer.concat(pieces).length).toBe('*2\r\n$4\r\nblob\r\n$1000000\r\n\r\n'.length + tensor.length);
  for (const release of releases) release();
  expect(released).toBe(1);
  expect(encoder.take()).toEqual({ pieces: [], releases: [], pinnedBytes: 0 });
});

test('many replies, over more than one slab, keep their order', () => {
  const encoder = new ReplyEncoder();
  let expected = '';
  for (let index = 0; index < 20_000; index += 1) {
    const word = 'x'.repeat(index % 50);
    encoder.add(word);
    expected += `$${word.length}\r\n${word}\r\n`;
  }
  expect(Buffer.concat(encoder.take().pieces).toString()).toBe(expected);
});
