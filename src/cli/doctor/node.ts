import { minimumNode } from '../../ir/index.js';
import { isNewEnough } from '../../runtime/assert/node-version.js';
import type { Finding, Probed } from '../../targets/probe.js';
import { glibcVersions } from '../site-install/this-node.js';

export interface NodeFacts {
  readonly version: string;
  readonly path: string;
  readonly glibc: string | undefined;
}

/** The oldest glibc, as `[major, minor]`: that of Node.js 20 and of ONNX Runtime. */
const minimumGlibc = [2, 28] as const;

/** Node.js and the C library that it runs with. */
export function probeNode(): Probed<NodeFacts> {
  const facts = { version: process.versions.node, path: process.execPath, glibc: glibcVersions().runtime };
  return { facts, findings: [judgeNode(facts), judgeGlibc(facts.glibc)] };
}

export function judgeNode({ version, path }: Pick<NodeFacts, 'version' | 'path'>): Finding {
  const topic = 'Node.js';
  if (isNewEnough(version)) return { topic, verdict: 'ok', message: `${version}, ${path}` };
  const message = `${version}; ${minimumNode.join('.')} or newer is needed`;
  return { topic, verdict: 'problem', message, advice: 'install a newer one, from nodejs.org or by the module system' };
}

export function judgeGlibc(version: string | undefined): Finding {
  const topic = 'glibc';
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  const needed = minimumGlibc.join('.');
  if (major > minimumGlibc[0] || (major === minimumGlibc[0] && minor >= minimumGlibc[1])) {
    return { topic, verdict: 'ok', message: `${version}` };
  }
  const message = version === undefined ? 'the C library is another one' : `${version}; ${needed} or newer is needed`;
  return {
    topic,
    verdict: 'problem',
    message,
    advice: `use a Linux with glibc ${needed} or newer, or a container of one`,
  };
}
