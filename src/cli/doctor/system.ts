import { accessSync, constants } from 'node:fs';
import type { Finding, Probed } from '../../targets/probe.js';
import { ask } from './ask.js';

export interface SystemFacts {
  readonly bash: string | undefined;
  readonly readsProcNet: boolean;
}

/** The shell of the scripts, and what the store reads to tell users apart. */
export async function probeSystem(): Promise<Probed<SystemFacts>> {
  const { ok, stdout } = await ask('bash', '-c', 'echo "$BASH_VERSION"');
  const facts = { bash: ok ? stdout.trim() : undefined, readsProcNet: isReadable('/proc/net/tcp') };
  const readable: Finding = facts.readsProcNet
    ? { topic: '/proc/net/tcp', verdict: 'ok', message: 'can be read' }
    : {
        topic: '/proc/net/tcp',
        verdict: 'warning',
        message: 'cannot be read: a store cannot tell by it whose process a connection is',
        advice: 'use colocated stores over Unix sockets (.colocate({ uds: true })) on such machines',
      };
  return { facts, findings: [judgeBash(facts.bash), readable] };
}

export function judgeBash(version: string | undefined): Finding {
  const topic = 'bash';
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  if (major > 4 || (major === 4 && minor >= 4)) return { topic, verdict: 'ok', message: `${version}` };
  const message = version === undefined ? 'is not on the PATH' : `${version}; 4.4 or newer is needed by the scripts`;
  return { topic, verdict: 'problem', message, advice: 'put a newer bash on the PATH' };
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
