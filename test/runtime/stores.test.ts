import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { PreloadedModel } from '../../src/ir/index.js';
import { useBundle } from './support/bundle.js';
import { JobFolder } from './support/job-folder.js';
import { makeModel, makePlan } from './support/make-plan.js';
import { takenPort } from './support/taken-port.js';
import { waitUntil } from './support/wait-until.js';

const bundle = useBundle();
const onnxFile = fileURLToPath(new URL('../../examples/cavity/surrogate.onnx', import.meta.url));
const onnxRuntime = fileURLToPath(new URL('../../node_modules/onnxruntime-node', import.meta.url));
const noOnnxRuntime = existsSync(onnxRuntime) ? false : 'onnxruntime-node is not installed';

const surrogate = makeModel({ name: 'surrogate', artifact: 'artifacts/cc/surrogate.onnx' });

const infer = `
import { Client, tensor } from 'simwright/client';
const client = await Client.connect({ suffix: process.argv[2] ?? '' });
await client.putTensor('in', tensor(new Float32Array(512), [1, 512]));
await client.runModel('surrogate', ['in'], ['out']);
console.log((await client.getTensor('out')).shape.join('x'));
await client.close();
`;

describe('up', () => {
  test('a port that is taken', async () => {
    const port = await takenPort();
    const folder = new JobFolder(bundle(), makePlan([], [{ name: 'orchestrator', kind: 'standalone', port }]));
    const job = folder.start('runtime up orchestrator\necho not reached');
    const end = await job.ended;
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(`error[RUN1003]: 127.0.0.1:${port} is taken by another process`);
    expect(end.stdout).toBe('');
    expect(existsSync(folder.path('run/stores/orchestrator/address.json'))).toBe(false);
    await folder.expectNothingLeft(job);
  });

  test('leaves nothing when it fails, also before down', async () => {
    const port = await takenPort();
    const folder = new JobFolder(bundle(), makePlan([], [{ name: 'orchestrator', kind: 'standalone', port }]));
    // On which of two hosts it is to listen only the store knows, so that it starts.
    const job = folder.start(`
export SIMWRIGHT_HOSTS="localhost elsewhere"
runtime up orchestrator || true
until [ -e run/go ]; do sleep 0.02; done`);
    await waitUntil('up has failed', () => existsSync(folder.path('run/stores/orchestrator')));
    await waitUntil('only the script is left', () =>
      folder.processes().every(({ command }) => !command.includes('.mjs')),
    );
    expect(existsSync(`/tmp/simwright-${process.getuid?.()}-${job.pid}`)).toBe(false);
    folder.write('run/go', '');
    await job.ended;
  });

  test('a launcher that is not there, and one that fails', async () => {
    const folder = new JobFolder(bundle(), makePlan([], [{ name: 'orchestrator' }]));
    const missing = await folder.run('runtime up orchestrator -- no-such-launcher -n 1');
    expect(missing.stderr).toContain("error[RUN1010]: no-such-launcher, which starts store 'orchestrator'");
    const failing = folder.start("runtime up orchestrator -- sh -c 'echo no allocation for you >&2; exit 7'");
    const end = await failing.ended;
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(
      "error[RUN1004]: store 'orchestrator' did not start (exit code 7)\n  no allocation for you",
    );
    await folder.expectNothingLeft(failing);
  });

  test('a store that does not answer in time', async () => {
    const folder = new JobFolder(bundle(), makePlan([], [{ name: 'orchestrator' }]));
    const job = folder.start("runtime up orchestrator -- sh -c 'sleep 300' -", { SIMWRIGHT_UP_TIMEOUT: '1' });
    const end = await job.ended;
    expect(end.stderr).toContain("error[RUN1004]: store 'orchestrator' did not answer within 1 s");
    await folder.expectNothingLeft(job);
  });

  test('through a launcher, in a process of its own', async () => {
    const folder = new JobFolder(
      bundle(),
      makePlan([{ name: 'solver', stores: ['orchestrator'] }], [{ name: 'orchestrator' }]),
    );
    const end = await folder.run(`
runtime up orchestrator -- env FROM=launcher sh -c '"$@"' -
runtime launch solver -- sh -c 'echo $SSDB' & launched+=($!)`);
    expect(end.stderr).toBe('');
    expect(folder.read('run/solver/solver.out')).toMatch(/^127\.0\.0\.1:\d+\n$/);
  });

  test("the supervisor's socket is this user's alone, and its folder too", async () => {
    const folder = new JobFolder(bundle(), makePlan([], [{ name: 'orchestrator' }]));
    const end = await folder.run(`
runtime up orchestrator
place=/tmp/simwright-$(id -u)-$SIMWRIGHT_JOB_ID
stat -c '%F %a' "$place" "$place/.control.sock"`);
    expect(end).toMatchObject({ code: 0, stderr: '', stdout: 'directory 700\nsocket 600\n' });
  });

  test('two stores in one job, each under its suffix', async () => {
    const folder = new JobFolder(
      bundle(),
      makePlan(
        [{ name: 'solver', stores: ['a', 'b'], keyPrefixing: true, incoming: ['solver', 'other'] }, { name: 'other' }],
        [{ name: 'a' }, { name: 'b', suffix: 'b' }],
      ),
    );
    const end = await folder.run(`
runtime up a
runtime up b
runtime launch solver -- sh -c 'echo "$SSDB $SSDB_b $SR_DB_TYPE_b $SSKEYOUT_b $SSKEYIN_b $SR_SOCKET_TIMEOUT_b"' & launched+=($!)`);
    expect(end.stderr).toBe('');
    expect(folder.read('run/solver/solver.out')).toMatch(
      /^127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ Standalone solver solver,other 60000\n$/,
    );
  });

  test('a launch whose store is not up', async () => {
    const folder = new JobFolder(
      bundle(),
      makePlan([{ name: 'solver', stores: ['orchestrator'] }], [{ name: 'orchestrator' }]),
    );
    const end = await folder.run('runtime launch solver -- true & launched+=($!)');
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('error[RUN1005]: the stores of this job (orchestrator) are not running');
  });
});

describe('models', () => {
  const withModel = (model: Partial<PreloadedModel> = {}) =>
    makePlan(
      [{ name: 'solver', stores: ['orchestrator'] }],
      [{ name: 'orchestrator', mlModels: [{ ...surrogate, ...model }] }],
    );

  test.skipIf(noOnnxRuntime)('are loaded before up returns', async () => {
    const folder = new JobFolder(bundle(), withModel());
    folder.write(surrogate.artifact, readFileSync(onnxFile));
    folder.write('run/infer.mjs', infer);
    const end = await folder.run(
      'runtime up orchestrator\nruntime launch solver -- node ../infer.mjs & launched+=($!)',
    );
    expect(end.stderr).toBe('');
    expect(folder.read('run/solver/solver.out')).toBe('1x66\n');
    const stats = readdirSync(folder.path('run/stores/orchestrator')).find((name) => name.endsWith('.stats.json'));
    expect(JSON.parse(folder.read(`run/stores/orchestrator/${stats}`))).toMatchObject({ inferences: 1, keys: 3 });
  });

  test.skipIf(noOnnxRuntime)('one that is no ONNX file, and one that is missing', async () => {
    const folder = new JobFolder(bundle(), withModel());
    folder.write(surrogate.artifact, 'no model');
    const job = folder.start('runtime up orchestrator');
    const end = await job.ended;
    expect(end.code).toBe(1);
    expect(end.stderr).toContain("error[RUN1006]: ML model 'surrogate' (artifacts/cc/surrogate.onnx): ");
    rmSync(folder.path(surrogate.artifact));
    expect((await folder.run('runtime up orchestrator')).stderr).toContain(
      "error[RUN1007]: artifacts/cc/surrogate.onnx, which is ML model 'surrogate' of store 'orchestrator', is not there",
    );
    await folder.expectNothingLeft(job);
  });

  test('without ONNX Runtime, the places that were searched', async () => {
    const folder = new JobFolder(bundle(), { ...withModel(), runtimePath: '/opt/nowhere' });
    rmSync(folder.path('runtime/node_modules'), { recursive: true });
    const end = await folder.run('runtime up orchestrator', { SIMWRIGHT_HOME: '/opt/neither' });
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('error[RUN1002]');
    for (const place of ['/opt/neither', '/opt/nowhere', folder.path('runtime/node_modules')]) {
      expect(end.stderr).toContain(place);
    }
  });

  test.skipIf(noOnnxRuntime)('ONNX Runtime is found where SIMWRIGHT_HOME says', async () => {
    const folder = new JobFolder(bundle(), withModel());
    folder.write(surrogate.artifact, readFileSync(onnxFile));
    rmSync(folder.path('runtime/node_modules/onnxruntime-node'));
    const home = fileURLToPath(new URL('../..', import.meta.url));
    expect((await folder.run('runtime up orchestrator', { SIMWRIGHT_HOME: home })).stderr).toBe('');
  });
});

describe('colocated', () => {
  const colocated = (socket?: string) =>
    makePlan(
      [{ name: 'solver', stores: ['solver'] }],
      [
        {
          name: 'solver',
          kind: 'colocated',
          transport: { kind: 'uds', permissions: 0o700, ...(socket === undefined ? {} : { socket }) },
        },
      ],
    );
  const steps = `
runtime up solver
runtime launch solver -- sh -c 'echo $SSDB; node ../put.mjs; until [ -e ../go ]; do sleep 0.02; done' & launched+=($!)`;
  const put = `
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
await client.putTensor('x', tensor(Float64Array.of(1), [1]));
console.log((await client.getTensor('x')).data[0]);
await client.close();
`;

  test('over a Unix socket in a folder of the job alone, which goes with the job', async () => {
    const folder = new JobFolder(bundle(), colocated());
    folder.write('run/put.mjs', put);
    const job = folder.start(steps);
    const output = () => (existsSync(folder.path('run/solver/solver.out')) ? folder.read('run/solver/solver.out') : '');
    await waitUntil('the application has used the store', () => output().endsWith('\n1\n'));
    const own = `/tmp/simwright-${process.getuid?.()}-${job.pid}`;
    expect(output()).toBe(`unix://${own}/solver.sock\n1\n`);
    expect(statSync(own).mode & 0o777).toBe(0o700);
    expect(statSync(`${own}/solver.sock`).mode & 0o777).toBe(0o700);
    folder.write('run/go', '');
    const end = await job.ended;
    expect(end.stderr).toBe('');
    expect(end.code).toBe(0);
    await folder.expectNothingLeft(job);
  });

  test("over the user's own socket, which goes with the job", async () => {
    const folder = new JobFolder(bundle(), colocated());
    const socket = folder.path('mine.sock');
    folder.write('plan.json', JSON.stringify(colocated(socket)));
    folder.write('run/put.mjs', put);
    folder.write('run/go', '');
    const job = folder.start(steps);
    expect((await job.ended).stderr).toBe('');
    expect(folder.read('run/solver/solver.out')).toBe(`unix://${socket}\n1\n`);
    expect(existsSync(socket)).toBe(false);
    await folder.expectNothingLeft(job);
  });

  test('a socket path that is too long is refused, never cut short', async () => {
    const folder = new JobFolder(bundle(), colocated(`/tmp/${'x'.repeat(110)}.sock`));
    const end = await folder.run('runtime up solver');
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('error[STORE1002]');
    expect(end.stderr).toContain('has 120 bytes; the limit is 107');
  });

  const outer = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).flatMap(({ family, internal, address }) =>
      family === 'IPv4' && !internal ? { name, address } : [],
    ),
  )[0];
  test.skipIf(outer === undefined)('on an interface, whose address its application has', async () => {
    const transport = { kind: 'tcp' as const, port: 0, interface: outer?.name ?? '' };
    const plan = makePlan([{ name: 'solver', stores: ['solver'] }], [{ name: 'solver', kind: 'colocated', transport }]);
    const folder = new JobFolder(bundle(), plan);
    folder.write('run/put.mjs', put);
    folder.write('run/go', '');
    expect((await folder.run(steps)).stderr).toBe('');
    const [address, value] = folder.read('run/solver/solver.out').trimEnd().split('\n');
    expect(address).toContain(`${outer?.address}:`);
    expect(value).toBe('1');
  });

  const needsRoot = process.getuid?.() === 0 ? '' : ' (skipped: needs root)';
  test.skipIf(needsRoot !== '')(`a folder under /tmp that a stranger has made is not needed${needsRoot}`, async () => {
    const folder = new JobFolder(bundle(), colocated());
    folder.write('run/put.mjs', put);
    folder.write('run/go', '');
    const job = folder.start(`
mkdir -m 0777 "/tmp/simwright-$(id -u)-$$"
chown 65534 "/tmp/simwright-$(id -u)-$$"
${steps}`);
    const end = await job.ended;
    expect(end.stderr).toBe('');
    expect(end.code).toBe(0);
    const plain = `/tmp/simwright-${process.getuid?.()}-${job.pid}`;
    expect(folder.read('run/solver/solver.out')).toMatch(new RegExp(`^unix://${plain}-[0-9a-f]{12}/solver.sock\n1\n$`));
    expect(readdirSync('/tmp').filter((name) => name.startsWith(`${basename(plain)}-`))).toEqual([]);
    expect(readdirSync(plain)).toEqual([]);
    rmdirSync(plain);
    await folder.expectNothingLeft(job);
  });

  test('a folder under /tmp that others can enter is refused', async () => {
    const folder = new JobFolder(bundle(), colocated());
    const end = await folder.run(`
mkdir -m 0755 "/tmp/simwright-$(id -u)-$$"
runtime up solver`);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('error[RUN1004]: /tmp/simwright-');
    expect(end.stderr).toContain('others can enter it');
  });
});

describe('a store on the network', () => {
  test('listens on the address of the host, and launch puts the hosts of the job on its list', async () => {
    const folder = new JobFolder(
      bundle(),
      makePlan(
        [{ name: 'solver', stores: ['orchestrator'] }],
        [{ name: 'orchestrator', kind: 'standalone', scope: 'network' }],
      ),
    );
    const end = await folder.run(`
export SIMWRIGHT_HOSTS="localhost ${hostname()}"
runtime up orchestrator
runtime launch solver -- sh -c 'echo $SSDB; ls "$1"' - "$PWD/run/stores/orchestrator/allow.$$" & launched+=($!)`);
    expect(end.stderr).toBe('');
    const [address, ...allowed] = folder.read('run/solver/solver.out').trimEnd().split('\n');
    expect(address).toMatch(/^[\d.]+:\d+$/);
    expect(address).not.toMatch(/^0\./);
    expect(allowed).toContain('127.0.0.1');
    expect(readdirSync(folder.path('run/stores/orchestrator')).filter((name) => name.startsWith('allow'))).toEqual([]);
  });

  test('an interface that is not there', async () => {
    const store = { name: 'orchestrator', kind: 'standalone', scope: 'network', interface: 'ib7' } as const;
    const folder = new JobFolder(bundle(), makePlan([], [store]));
    const end = await folder.run('runtime up orchestrator');
    expect(end.stderr).toContain("has no network interface 'ib7' with an IPv4 address");
  });
});

test('run/ that cannot be written is said at once', async () => {
  const folder = new JobFolder(bundle(), makePlan([], [{ name: 'orchestrator' }]));
  folder.write('run', 'a file in its place');
  const end = await folder.run('runtime up orchestrator || exit $?');
  expect(end.stderr).toContain('error[OUT1002]');
});

describe('the link of a store that a launcher starts', () => {
  const plan = () => makePlan([], [{ name: 'orchestrator' }]);

  test('a launcher that does not hand it on', async () => {
    const folder = new JobFolder(bundle(), plan());
    const job = folder.start('runtime up orchestrator -- env -u SIMWRIGHT_STORE_LINK');
    const end = await job.ended;
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(
      /error\[RUN1022\]: \S+ does not know the supervisor of this job: its launcher has not handed on SIMWRIGHT_STORE_LINK/,
    );
    await folder.expectNothingLeft(job);
  });

  test('a supervisor that cannot be reached is told by its address', async () => {
    const folder = new JobFolder(bundle(), plan());
    const job = folder.start(`runtime up orchestrator -- env SIMWRIGHT_STORE_LINK=127.0.0.1:1:${'0'.repeat(64)}`);
    expect((await job.ended).stderr).toMatch(
      /error\[RUN1022\]: \S+ cannot reach the supervisor of this job at 127\.0\.0\.1:1: connect ECONNREFUSED/,
    );
    await folder.expectNothingLeft(job);
  });

  test('standard input that ends at once ends nothing', async () => {
    const folder = new JobFolder(bundle(), plan());
    const job = folder.start(`
runtime up orchestrator -- sh -c 'exec "$@" </dev/null' -
touch run/up; until [ -e run/go ]; do sleep 0.02; done`);
    await waitUntil('the store is up', () => existsSync(folder.path('run/up')));
    expect(folder.runtimeProcesses('store')).toHaveLength(1);
    folder.write('run/go', '');
    expect(await job.ended).toMatchObject({ code: 0, stderr: '' });
    await folder.expectNothingLeft(job);
  });

  /** A process that proves itself with a secret, or with another one, says that it is ready, and is gone. */
  const brief = (secret: string) => `
import { createHmac } from 'node:crypto';
import { connect } from 'node:net';
const [host, port, own] = process.env.SIMWRIGHT_STORE_LINK.split(':');
const socket = connect({ host, port });
socket.setEncoding('utf8');
socket.once('data', (text) => {
  const { challenge } = JSON.parse(text);
  const proof = createHmac('sha256', ${secret}).update('store ' + challenge).digest('hex');
  const id = process.argv[process.argv.indexOf('--id') + 1];
  const word = { ready: { host: 'elsewhere', addresses: ['127.0.0.1:1'], pid: process.pid, runId: 'x' } };
  socket.end(JSON.stringify({ hello: { id, host: 'elsewhere', proof, challenge: 'c' } }) + '\\n' + JSON.stringify({ word }) + '\\n');
});
socket.on('close', () => console.error('closed'));
`;

  test('a store that ends again after its word is noticed', async () => {
    const folder = new JobFolder(bundle(), plan());
    folder.write('brief.mjs', brief('own'));
    const job = folder.start('runtime up orchestrator -- node brief.mjs');
    const end = await job.ended;
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(
      "error[RUN1004]: store 'orchestrator' did not start on elsewhere (its process has gone)",
    );
    await folder.expectNothingLeft(job);
  });

  test('who does not know the secret is not heard', async () => {
    const folder = new JobFolder(bundle(), plan());
    folder.write('brief.mjs', brief("'0'.repeat(64)"));
    const job = folder.start('runtime up orchestrator -- node brief.mjs');
    const end = await job.ended;
    expect(end.code).toBe(1);
    expect(end.stderr).toContain("error[RUN1004]: store 'orchestrator' did not start (exit code 0)\n  closed");
    await folder.expectNothingLeft(job);
  });
});
