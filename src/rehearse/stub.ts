import { connect } from 'node:net';

/*
 * Program in an application's place, where others wait for keys that it writes: `stub.js SECONDS VARIABLE KEY …` writes a value under each key
 * into the store that the variable names, and ends with 0 after some seconds.
 */

const [seconds = '0', variable = 'SSDB', ...keys] = process.argv.slice(2);

/** Writes a key into the store at `host:port` or `unix://path`. */
function write(address: string, key: string): Promise<void> {
  const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? [];
  const socket = address.startsWith('unix://')
    ? connect(address.slice('unix://'.length))
    : connect(Number(port), host ?? '127.0.0.1');
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (answer) => {
      socket.end();
      if (answer.toString().startsWith('+OK')) resolve();
      else reject(new Error(`stub: ${address} answers ${answer.toString().trim()}`));
    });
    const words = ['SET', key, 'rehearsed'].map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${words.join('')}`);
  });
}

for (const key of keys) await write((process.env[variable] ?? '').split(',')[0] ?? '', key);
setTimeout(() => process.exit(0), Number(seconds) * 1000);
