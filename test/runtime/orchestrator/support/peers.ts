import { execFile, spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { encode, RawClient } from './raw-client.js';

/** An address of this host beyond loopback; undefined if it has none. */
export const own: string | undefined = Object.values(networkInterfaces())
  .flatMap((infos) => infos ?? [])
  .find((info) => info.family === 'IPv4' && !info.internal)?.address;

/** True if a process of another user can be started. */
export const second: boolean = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).error === undefined;

/** `served`, or what a peer is refused with. */
export async function answer(
  to: { port: number; host?: string; localAddress?: string } | { path: string },
): Promise<string> {
  const client = await RawClient.connect(to);
  await client.write(encode('PING'));
  const reply = await client.read(7);
  if (reply.toString() === '+PONG\r\n') {
    client.destroy();
    return 'served';
  }
  return reply.toString() + (await client.readToEnd()).toString();
}

/** Answer to a process of another user who sends SET. */
export function setAsNobody(to: number | string): Promise<string> {
  const script = `
    const socket = require('net').connect(${JSON.stringify(to)});
    socket.on('data', (data) => { process.stdout.write(data); socket.end(); });
    socket.on('error', (error) => process.stdout.write(error.code));
    socket.write('*3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\nk\\r\\n$1\\r\\nv\\r\\n');
  `;
  const words = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', script];
  return new Promise((resolve) => {
    execFile('setpriv', words, { cwd: '/', timeout: 20_000 }, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
}
