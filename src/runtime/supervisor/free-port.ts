import { createServer, type Server } from 'node:net';

/** A TCP port that nothing on this host listens on at the moment. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1, '127.0.0.1');
  return port;
}

/** So many different ports that nothing listens on at an address of this host at the moment. */
export async function freePorts(count: number, host: string): Promise<number[]> {
  const servers: Server[] = [];
  try {
    // All at the same time, so that none comes twice.
    for (let index = 0; index < count; index += 1) servers.push(await listening(host));
    return servers.map((server) => {
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    });
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function listening(host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port: 0 }, () => resolve(server));
  });
}
