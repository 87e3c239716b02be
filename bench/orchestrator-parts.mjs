import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

/** Python with the smartredis package, made by the tests on their first run; undefined if it is not there. */
export const python = [process.env['SIMWRIGHT_TEST_VENV'] ?? '', `${root}node_modules/.cache/simwright-python`]
  .map((folder) => `${folder}/bin/python`)
  .find((path) => existsSync(path));

/** A port that is free now. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * A server in a process of its own.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {number} port
 * @param {RegExp} ready what its standard output says when it is ready
 * @param {string} [cwd]
 */
async function serve(program, args, port, ready, cwd = root) {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', () => reject(new Error(`${program} ended: ${output}`)));
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (ready.test(output)) resolve(undefined);
    });
  });
  child.removeAllListeners('exit');
  return {
    port,
    pid: /** @type {number} */ (child.pid),
    /** Bytes of memory that the process has. */
    rss: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    stop: () =>
      new Promise((resolve) => {
        child.on('exit', resolve);
        child.kill('SIGTERM');
      }),
  };
}

/** The orchestrator, as its command starts it. @param {readonly string[]} options */
export async function startOrchestrator(...options) {
  return startOrchestratorOf(root, ...options);
}

/** The same of the build in another folder. @param {string} directory @param {readonly string[]} options */
export async function startOrchestratorOf(directory, ...options) {
  const port = await freePort();
  const args = ['dist/cli/main.js', 'orchestrator', '--port', String(port), '--json', ...options];
  return serve(process.execPath, args, port, /"ready":true/, directory);
}

const bareServer = `
require('node:net')
  .createServer({ noDelay: true }, (socket) => socket.on('data', () => socket.write('+OK\\r\\n')).on('error', () => {}))
  .listen(process.argv[1], '127.0.0.1', () => console.log('ready'));
`;

/** A server of Node that reads nothing and says OK to whatever comes: what one in Node can reach where requests come one by one. */
export async function startBareServer() {
  const port = await freePort();
  return serve(process.execPath, ['-e', bareServer, String(port)], port, /ready/);
}

/** redis-server without persistence. @param {readonly string[]} options */
export async function startRedis(...options) {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...options];
  return serve('redis-server', args, port, /Ready to accept connections/);
}

/**
 * Requests a second by redis-benchmark.
 * @param {number} port
 * @param {{ clients: number, requests: number, bytes?: number, pipeline?: number }} load
 * @param {readonly string[]} command
 */
export async function requestsPerSecond(port, { clients, requests, bytes = 3, pipeline = 1 }, ...command) {
  const shape = ['-c', clients, '-n', requests, '-d', bytes, '-P', pipeline];
  const args = ['-h', '127.0.0.1', '-p', port, ...shape, '--csv', ...command];
  const running = run('redis-benchmark', args.map(String));
  // With `-x` the last word comes from there.
  running.child.stdin?.end(command[0] === '-x' ? Buffer.alloc(bytes, 'x') : '');
  const { stdout } = await running;
  return Number(/",?"([\d.]+)/.exec(stdout.trim().split('\n').at(-1) ?? '')?.[1]);
}

/**
 * Calls a second by the smartredis package, on two servers in turn.
 * @param {{ bytes: number, calls: number, blocks: number }} load
 * @param {readonly number[]} ports
 * @returns {Promise<{ puts: [number, number][], gets: [number, number][] }>}
 */
export async function smartredisRates({ bytes, calls, blocks }, ports) {
  const script = fileURLToPath(new URL('orchestrator-client.py', import.meta.url));
  const env = { PATH: process.env['PATH'], SR_DB_TYPE: 'Standalone', SR_LOG_LEVEL: 'QUIET' };
  const args = [script, bytes, calls, blocks, ...ports.map((port) => `127.0.0.1:${port}`)];
  const { stdout } = await run(python ?? '', args.map(String), { env });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
