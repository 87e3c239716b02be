import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isNewEnough } from '../../../src/runtime/engine/find-engine.js';
import { serverConfig } from '../../../src/runtime/engine/server-config.js';
import { type FramedRequest, FrameReader } from '../../../src/runtime/orchestrator/framed/frame-reader.js';
import {
  headerBytes,
  hello,
  ops,
  recordBytes,
  writeHeader,
  writeNumber,
} from '../../../src/runtime/orchestrator/framed/frames.js';
import { encode } from '../orchestrator/support/raw-client.js';
import { seeded } from '../support/seeded.js';
import { waitUntil } from '../support/wait-until.js';
import { builtModule, hasCompiler, servers } from './support/servers.js';

/** Frames of the hostile worker: CI takes a million now and then. */
const frames = Number(process.env['SIMWRIGHT_FUZZ_FRAMES'] ?? 2000);
const seed = Number(process.env['SIMWRIGHT_FUZZ_SEED'] ?? 1);

/** AddressSanitizer's library, which must be loaded before all others; undefined where the compiler has none. */
const sanitizer = (() => {
  if (!hasCompiler) return undefined;
  const path = execFileSync('cc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  return existsSync(path) ? path : undefined;
})();
const server = servers.find(isNewEnough);
const lacks = server === undefined ? 'a server' : sanitizer === undefined ? 'a compiler with AddressSanitizer' : '';

describe.skipIf(lacks !== '')(
  `the module under AddressSanitizer${lacks === '' ? '' : ` (skipped: there is no ${lacks})`}`,
  () => {
    const random = seeded(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    const oneOf = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
    const sockets = new Set<Socket>();
    let folder: string;
    let child: ChildProcess;
    let ended: string | undefined;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'simwright-fuzz-'));
      const flags = [
        '-g',
        '-fsanitize=address,undefined',
        '-fno-sanitize-recover=undefined',
        '-fno-omit-frame-pointer',
      ];
      const config = serverConfig({
        tcp: undefined,
        unix: { kind: 'unix', path: join(folder, 'store.sock'), permissions: 0o700 },
        folder,
        file: 'dump.rdb',
        module: await builtModule(flags),
        workerSocket: join(folder, 'ai.sock'),
        holder: process.pid,
        options: { maxBulkBytes: 64 * 1024 * 1024 },
      });
      child = spawn(server?.path ?? '', ['-'], {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { ...process.env, LD_PRELOAD: sanitizer, ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1' },
      });
      const log: string[] = [];
      for (const stream of [child.stdout, child.stderr])
        stream?.setEncoding('utf8').on('data', (text: string) => log.push(text));
      child.once('close', (code, signal) => {
        ended = signal ?? `exit code ${code}`;
        writeFileSync(join(folder, 'log'), log.join(''));
      });
      child.stdin?.end(config);
      await waitUntil('the server listens', () => existsSync(join(folder, 'store.sock')) || ended !== undefined);
    });
    afterAll(async () => {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGTERM');
      await waitUntil('the server has ended', () => ended !== undefined);
      rmSync(folder, { recursive: true });
    });

    function open(name: string): Socket {
      const socket = connect(join(folder, name));
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      return socket;
    }

    const keys = ['x', 'y', 'm', 's', 'text', 'none'];
    const words = [
      ...[
        'AI.MODELSTORE',
        'AI.MODELEXECUTE',
        'AI.MODELRUN',
        'AI.SCRIPTSET',
        'AI.SCRIPTRUN',
        'AI.SCRIPTEXECUTE',
        'AI.DAGEXECUTE',
        'AI.DAGRUN',
      ],
      ...[
        'AI.TENSORSET',
        'AI.TENSORGET',
        'AI.MODELGET',
        'AI.MODELDEL',
        'AI.INFO',
        'AI._MODELSCAN',
        'AI._RESTORE',
        'AI.CONFIG',
      ],
      ...[
        'INPUTS',
        'OUTPUTS',
        'KEYS',
        'ARGS',
        'LOAD',
        'PERSIST',
        'ROUTING',
        '|>',
        'TIMEOUT',
        'BLOB',
        'VALUES',
        'SOURCE',
        'META',
        '$',
      ],
      ...[
        'FLOAT',
        'STRING',
        'BOOL',
        'INT8',
        'MODEL',
        '0',
        '1',
        '2',
        '3',
        '-1',
        '99999999999999999999',
        '9007199254740993',
        'nan',
        '',
      ],
    ];

    /** A request: mostly one that makes sense, with something of it changed now and then. */
    function request(): Buffer {
      const sensible = oneOf([
        'AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y',
        'AI.MODELSTORE m ONNX CPU BLOB abc def',
        'AI.SCRIPTSET s CPU SOURCE text',
        'AI.SCRIPTRUN s f INPUTS x OUTPUTS y',
        'AI.DAGEXECUTE LOAD 1 x PERSIST 1 y |> AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y',
        'AI.TENSORSET x FLOAT 2 VALUES 1 2',
        'AI.TENSORSET x STRING 2 VALUES a b',
        'AI.TENSORGET x VALUES',
        'AI.TENSORGET x META BLOB',
        'AI.MODELDEL m',
        'AI._MODELSCAN',
        'SET text value',
        'DEL x m s',
        'COPY x y',
        'COPY m n',
        'FLUSHALL ASYNC',
      ]).split(' ');
      for (let change = below(4) === 0 ? 1 + below(4) : 0; change > 0; change -= 1) {
        const at = below(sensible.length + 1);
        const change = oneOf(['replace', 'insert', 'drop', 'cut'] as const);
        if (change === 'insert') sensible.splice(at, 0, oneOf([...words, ...keys]));
        else if (change === 'drop') sensible.splice(at, 1);
        else if (change === 'cut') sensible.splice(at);
        else sensible.splice(at, 1, oneOf([...words, ...keys]));
      }
      return encode(...(sensible.length === 0 ? ['PING'] : sensible));
    }

    /** A reply to the request, as a worker might give it. */
    function reply({ id, given }: FramedRequest): Buffer {
      const records: Buffer[] = [];
      const data: Buffer[] = [];
      for (let write = below(3); write > 0 && given.length > 0; write -= 1) {
        const elements = below(5);
        const isTensor = below(3) > 0;
        const record = Buffer.alloc(recordBytes + (isTensor ? 8 : 0));
        record.writeUInt32LE(below(given.length), 0);
        record[4] = below(6) === 0 ? 2 : 1;
        record[5] = isTensor ? 1 : 2 + below(2);
        record[6] = isTensor ? 1 : 0;
        if (record[4] === 2) records.push(record.subarray(0, recordBytes));
        else {
          writeNumber(record, 4 * elements, 8);
          if (isTensor) {
            record.writeUInt32LE(1, 20);
            writeNumber(record, elements, recordBytes);
          } else record.writeUInt32LE(2, 16);
          records.push(record);
          data.push(Buffer.alloc(4 * elements + (isTensor ? 0 : 2), 'x'));
        }
      }
      const text = Buffer.from(
        oneOf([
          '+OK\r\n',
          '-ERR no\r\n',
          '*2\r\n:1\r\n$3\r\nabc\r\n',
          '%1\r\n+a\r\n,1.5\r\n',
          '*1\r\n*1\r\n*0\r\n',
          '_\r\n',
          '$-1\r\n',
          '~1\r\n+x\r\n',
        ]),
      );
      const meta = Buffer.concat(records);
      const body = Buffer.concat([meta, ...data, text]);
      const head = Buffer.alloc(headerBytes);
      writeHeader(head, {
        body: body.length,
        id,
        op: ops.reply,
        meta: meta.length,
        first: records.length,
        second: text.length,
      });
      const frame = Buffer.concat([head, body]);
      for (let change = below(3); change > 0; change -= 1) {
        const at = below(frame.length);
        frame[at] = oneOf([0, 1, 0x7f, 0x80, 0xff, below(256), (frame[at] ?? 0) + 1]);
      }
      return below(20) === 0 ? frame.subarray(0, below(frame.length)) : frame;
    }

    test(`survives ${frames} frames of a hostile worker and the requests of hostile clients (seed ${seed})`, async () => {
      let sent = 0;
      let asked = 0;
      const client = (): void => {
        const socket = open('store.sock');
        const next = (): void => {
          asked += 1;
          socket.write(request());
        };
        socket.on('connect', next).on('data', next);
        socket.on('close', () => {
          if (sent < frames && ended === undefined) client();
        });
      };
      const worker = (): void => {
        const socket = open('ai.sock');
        const reader = new FrameReader({
          greeted: () => socket.write(hello()),
          forget: () => undefined,
          request(one) {
            sent += 1;
            const frame = reply(one);
            const cut = below(frame.length);
            socket.write(frame.subarray(0, cut));
            socket.write(frame.subarray(cut));
            // A frame that is cut short, or claims to be longer, would be waited for.
            if (below(10) === 0) socket.end();
          },
        });
        socket.on('data', (chunk: Buffer) => {
          for (let at = 0; at < chunk.length; ) {
            const room = reader.room();
            const bytes = chunk.copy(room, 0, at);
            at += bytes;
            reader.filled(bytes);
          }
        });
        const timer = setInterval(() => socket.end(), 10);
        socket.on('close', () => {
          clearInterval(timer);
          if (sent < frames && ended === undefined) worker();
        });
      };
      for (let count = 0; count < 8; count += 1) client();
      worker();
      await waitUntil('all frames have been sent', () => sent >= frames || ended !== undefined, 170 + frames / 50);
      expect(ended === undefined ? 'the server runs' : readFileSync(join(folder, 'log'), 'utf8').slice(-6000)).toBe(
        'the server runs',
      );
      expect(asked).toBeGreaterThan(frames / 10);
      const socket = open('store.sock');
      const answer = new Promise((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString())));
      socket.write(encode('PING'));
      expect(await answer).toBe('+PONG\r\n');
    });
  },
);
