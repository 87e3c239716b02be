import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two looks. */
const lookMs = 100;

/** Waits until the head of a cluster listens; returns its address as `ray start` has left it in the node's folder. */
export function headAddress(temporary: string): (isOver: () => boolean) => Promise<string | undefined> {
  return async (isOver) => {
    while (!isOver()) {
      const address = readAddress(join(temporary, 'ray_current_cluster'));
      if (address !== undefined) {
        const [host = '', port] = address.split(/:(?=\d+$)/);
        if (await answers(host, Number(port))) return address;
      }
      await sleep(lookMs);
    }
    return undefined;
  };
}

/** URL of the dashboard on this host's loopback; undefined if nothing listens there, as in a Ray without it. */
export async function dashboardAt(port: number): Promise<string | undefined> {
  return (await answers('127.0.0.1', port)) ? `http://127.0.0.1:${port}` : undefined;
}

function readAddress(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return /^\S+:\d+$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const settle = (does: boolean) => {
      socket.destroy();
      resolve(does);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}
