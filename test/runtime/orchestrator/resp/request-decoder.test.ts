import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RequestDecoder } from '../../../../src/runtime/orchestrator/resp/request-decoder.js';
import { encode } from '../support/raw-client.js';

const binary = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const requests: (string | Buffer)[][] = [
  ['PING'],
  ['AI.TENSORSET', '{\0\0}.key\r\n', 'FLOAT', '2', 'BLOB', binary],
  ['SET', '', Buffer.alloc(0)],
  ['RPUSH', 'list', '$3\r\nfoo\r\n', '*1\r\n'],
];
const stream = Buffer.concat(requests.map((words) => encode(...words)));
const expected = requests.map((words) => words.map((word) => Buffer.from(word as string)));

/** Reads as a connection does: large bulks to their place, all else to memory that is used again and again. */
function decode(chunks: readonly Buffer[]): Buffer[][] {
  const decoder = new RequestDecoder();
  const found: Buffer[][] = [];
  const memory = Buffer.alloc(1024);
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const { room } = decoder;
      const bytes = chunk.copy(room ?? memory, 0, at);
      at += bytes;
      if (room !== undefined) decoder.filled(bytes);
      else decoder.feed(memory.subarray(0, bytes), (request) => found.push(request.map((word) => Buffer.from(word))));
      memory.fill('#');
    }
  }
  expect(decoder.midRequest).toBe(false);
  return found;
}

describe('requests', () => {
  test('in one chunk', () => {
    expect(decode([stream])).toEqual(expected);
  });

  test('cut in two at every byte', () => {
    for (let cut = 0; cut <= stream.length; cut += 1) {
      expect(decode([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(expected);
    }
  });

  test('byte by byte', () => {
    expect(decode([...stream].map((byte) => Buffer.from([byte])))).toEqual(expected);
  });

  test('with large words, cut near their ends', () => {
    const words = [4, 70_000, 300_000, 3, 65_536].map((length) => Buffer.alloc(length, String(length)));
    const bytes = encode(...words);
    for (const at of [5, 40, 70_020, 70_035, 370_060, bytes.length - 65_540, bytes.length - 1]) {
      const [found = []] = decode([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(found.map((word, index) => word.equals(words[index] as Buffer))).toEqual(words.map(() => true));
    }
  });

  test('of any words, cut anywhere', () => {
    const words = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(words, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(600), { maxLength: 8 }),
        (all, at) => {
          const sent = all.map((request) => request.map((word) => Buffer.from(word)));
          const bytes = Buffer.concat(sent.map((request) => encode(...request)));
          const cuts = [0, ...at.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
          const chunks = cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
          expect(decode(chunks)).toEqual(sent);
        },
      ),
    );
  });

  test('a bulk over several chunks has a buffer of its own', () => {
    const bytes = encode('SET', 'key', Buffer.alloc(100_000, 7));
    const [request] = decode([bytes.subarray(0, 30_000), bytes.subarray(30_000, 70_000), bytes.subarray(70_000)]);
    const value = request?.[2];
    expect(value).toEqual(Buffer.alloc(100_000, 7));
    expect(value?.buffer.byteLength).toBe(100_000);
  });

  test('empty and negative arrays are passed over', () => {
    expect(decode([Buffer.from('*0\r\n*-1\r\n'), encode('PING')])).toEqual([[Buffer.from('PING')]]);
  });
});

describe('lines of text', () => {
  const cases: [line: string, words: string[]][] = [
    ['PING', ['PING']],
    ['  SET\ta  b ', ['SET', 'a', 'b']],
    ['', []],
    ['\r', []],
    ['SET k "a b\\x41\\n\\"\\q"', ['SET', 'k', 'a bA\n"q']],
    ["SET k 'a \\' \\n\"'", ['SET', 'k', 'a \' \\n"']],
    ['SET k ""', ['SET', 'k', '']],
    ['SET k a"b"', ['SET', 'k', 'ab']],
    ['"\\xzz"', ['xzz']],
  ];

  test.each(cases)('%j', (line, words) => {
    const expected = words.length === 0 ? [] : [words.map((word) => Buffer.from(word))];
    const bytes = Buffer.from(line);
    for (const end of ['\n', '\r\n']) {
      const whole = Buffer.concat([bytes, Buffer.from(end), encode('ECHO', 'x')]);
      const after = [Buffer.from('ECHO'), Buffer.from('x')];
      expect(decode([whole])).toEqual([...expected, after]);
      expect(decode([...whole].map((byte) => Buffer.from([byte])))).toEqual([...expected, after]);
    }
  });
});

describe('breaches', () => {
  const limits = { maxBulkBytes: 10, maxArguments: 3 };
  const cases: [name: string, bytes: string, text: string][] = [
    ['quotes that do not match', 'SET a "b\r\n', 'unbalanced quotes in request'],
    ['what follows a quote', "SET a 'b'c\r\n", 'unbalanced quotes in request'],
    ['a request of HTTP', 'GET /key HTTP/1.1\r\n', 'HTTP is not spoken here'],
    ['a header of HTTP', 'Host: localhost\r\n', 'HTTP is not spoken here'],
    ['an endless line', 'x'.repeat(70_000), 'too big inline request'],
    ['too many words', '*4\r\n', 'invalid multibulk length'],
    ['no number of words', '*x\r\n', 'invalid multibulk length'],
    ['a long bulk', '*1\r\n$11\r\n', 'invalid bulk length'],
    ['a negative bulk', '*1\r\n$-1\r\n', 'invalid bulk length'],
    ['no length', '*1\r\n$\r\n', 'invalid bulk length'],
    ['no dollar', '*1\r\n:1\r\n', "expected '$', got ':'"],
    ['bytes after a bulk', '*1\r\n$2\r\nabc\r\n', 'a bulk string is longer than it said'],
    ['a line without CR', '*1\n', 'invalid multibulk length'],
    ['an endless count', `*${'1'.repeat(70_000)}`, 'too big mbulk count string'],
    ['an endless length', `*1\r\n$${'1'.repeat(70_000)}`, 'too big bulk count string'],
  ];

  test.each(cases)('%s', (_name, bytes, text) => {
    const feed = (chunks: Buffer[]) => {
      const decoder = new RequestDecoder(limits);
      for (const chunk of chunks) decoder.feed(chunk, () => undefined);
    };
    const whole = Buffer.from(bytes);
    expect(() => feed([whole])).toThrow(`ERR Protocol error: ${text}`);
    if (whole.length < 100) {
      expect(() => feed([...whole].map((byte) => Buffer.from([byte])))).toThrow(`ERR Protocol error: ${text}`);
    }
  });

  test('come after the requests before them', () => {
    const found: Buffer[][] = [];
    const decoder = new RequestDecoder();
    const bytes = Buffer.concat([encode('PING'), Buffer.from('PING "\r\n')]);
    expect(() => decoder.feed(bytes, (request) => found.push(request))).toThrow('unbalanced');
    expect(found).toEqual([[Buffer.from('PING')]]);
  });
});
