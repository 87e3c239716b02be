import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { formatError, parseError } from '../../../src/runtime/orchestrator/server/error-line.js';
import { encode, RawClient } from './support/raw-client.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A store and what it has logged as warnings. */
async function logging(): Promise<{ store: Started; warnings: string[]; errors: () => string[] }> {
  const warnings: string[] = [];
  const store = await start({ log: (level, message) => level === 'warn' && warnings.push(message) });
  stops.push(() => store.stop());
  // Process ids differ from run to run.
  const errors = () => warnings.map((line) => line.replace(/process \d+/, 'process P').replace(/port \d+/, 'port N'));
  return { store, warnings, errors };
}

/** Sends requests, one after the other, from a process of its own; ends as soon as it has the last answer, as a client does that fails. */
const client = `
const [place, ...requests] = JSON.parse(process.argv[1]);
const socket = require('node:net').connect(place);
const next = () => {
  const words = requests.shift();
  if (words === undefined) process.exit(1);
  socket.write('*' + words.length + '\\r\\n' + words.map((word) => '$' + Buffer.byteLength(word) + '\\r\\n' + word + '\\r\\n').join(''));
};
socket.on('connect', next).on('data', next);
`;

async function ask(
  place: { readonly port: number } | { readonly path: string },
  env: Readonly<Record<string, string>>,
  ...requests: readonly (readonly string[])[]
): Promise<void> {
  const options = { env: { PATH: process.env['PATH'], ...env }, stdio: 'inherit' } as const;
  const child = spawn(process.execPath, ['-e', client, JSON.stringify([place, ...requests])], options);
  await once(child, 'exit');
}

const get = (key: string) => ['AI.TENSORGET', key, 'META', 'BLOB'];
const missing = 'ERR tensor key is empty or in a different shard';

describe('an error that a client is answered with is in the log', () => {
  test.each(['tcp', 'unix'])('with the member whose process asked, by %s, though it is gone by then', async (kind) => {
    const { store, errors } = await logging();
    const place = kind === 'tcp' ? { port: store.port } : { path: store.socketPath };
    await Promise.all([0, 1, 2].map((n) => ask(place, { SIMWRIGHT_NAME: `sweep_${n}` }, get(`sweep_${n}.u`))));
    expect(errors().sort()).toEqual(
      [0, 1, 2].map((n) => `error for sweep_${n} (process P) at AI.TENSORGET "sweep_${n}.u": ${missing}`),
    );
  });

  test('with the process where it is no member, or its own environment does not say so but its parent’s does', async () => {
    const { store, warnings, errors } = await logging();
    await ask({ port: store.port }, {}, get('u'));
    expect(errors()).toEqual([`error for process P at AI.TENSORGET "u": ${missing}`]);
    const words = ['-c', 'env -i "$0" -e "$1" "$2"; exit', process.execPath, client];
    const request = JSON.stringify([{ path: store.socketPath }, get('v')]);
    const env = { PATH: process.env['PATH'], SIMWRIGHT_NAME: 'solver' };
    await once(spawn('sh', [...words, request], { env, stdio: 'inherit' }), 'exit');
    expect(warnings.at(-1)).toMatch(/^error for solver \(process \d+\) at AI\.TENSORGET "v": /);
  });

  test.skipIf(onnxRuntime === undefined)('with the model and its tensors, but no values', async () => {
    const { store, errors } = await logging();
    const raw = await RawClient.connect({ port: store.port });
    stops.push(async () => raw.destroy());
    await raw.write(encode('AI.MODELSTORE', 'double', 'ONNX', 'CPU', 'BLOB', modelFile('double')));
    await raw.write(encode('AI.TENSORSET', 'x', 'FLOAT', '1', '1', 'VALUES', 'secret'));
    await raw.write(encode('AI.MODELEXECUTE', 'double', 'INPUTS', '1', 'none', 'OUTPUTS', '1', 'y'));
    await raw.write(encode('AI.MODELRUN', 'nothing', 'INPUTS', 'x', 'OUTPUTS', 'y'));
    await raw.write(encode('AI.DAGRUN_RO', '|>', 'AI.TENSORGET', 'in-dag', 'META'));
    await raw.write(encode('AI.DAGRUN', 'LOAD', '2', 'l1', 'l2', '|>', 'AI.TENSORGET', 'l1'));
    await raw.write(encode('GET', 'x', 'too', 'many'));
    await raw.write(encode('FROBNICATE', 'x'));
    await raw.write(encode('HELLO', '3'));
    await raw.write(encode('PING'));
    for (let text = ''; !text.endsWith('+PONG\r\n'); ) text += String(await raw.read(1));
    const said = errors().map((line) => line.replace(/^error for process P at /, ''));
    expect(said.map((line) => line.slice(0, line.indexOf(': ')))).toEqual([
      'AI.TENSORSET "x"',
      'AI.MODELEXECUTE "double" "none" "y"',
      'AI.MODELRUN "nothing" "x" "y"',
      'AI.DAGRUN_RO "in-dag"',
      'AI.DAGRUN "l1" "l2"',
      'GET "x"',
      'FROBNICATE',
    ]);
    expect(said.join('\n')).not.toContain('secret');
  });

  test('once, ten times, a hundred times, and in the end as often as it came', async () => {
    const { store, errors } = await logging();
    const raw = await RawClient.connect({ path: store.socketPath });
    for (let time = 0; time < 123; time++) await raw.write(encode(...get('u')));
    await raw.read(123 * `-${missing}\r\n`.length);
    raw.destroy();
    const lines = (...times: readonly number[]) =>
      times.map(
        (time) => `error for process P at AI.TENSORGET "u"${time === 1 ? '' : `, ${time} times by now`}: ${missing}`,
      );
    expect(errors()).toEqual(lines(1, 10, 100));
    await store.orchestrator.close();
    expect(errors()).toEqual(lines(1, 10, 100, 123));
  });

  test('and a million keys do not fill the disk', async () => {
    const { store, warnings } = await logging();
    const raw = await RawClient.connect({ port: store.port });
    const requests = Array.from({ length: 6000 }, (_, index) => encode(...get(`u${index}`)));
    await raw.write(Buffer.concat(requests));
    await raw.read(6000 * `-${missing}\r\n`.length);
    raw.destroy();
    expect(warnings).toHaveLength(5001);
    expect(warnings.at(-1)).toBe('errors of 5000 kinds have been answered; further kinds are not listed');
  });
});

test('lines are read as they were written', () => {
  const errors = [
    { who: 'e_3 (process 8)', command: 'AI.TENSORGET', keys: ['a: "b", at \\ c'], times: 1, text: 'ERR a at "b": c' },
    { who: 'a process on 10.0.0.3 (port 5)', command: 'PING', keys: [], times: 10, text: '' },
  ];
  expect(errors.map((error) => parseError(formatError(error)))).toEqual(errors);
  expect(parseError('ready at 127.0.0.1:6780')).toBeUndefined();
});
