import type { Probed } from '../../targets/probe.js';
import { quoteShellWord } from '../../targets/quoting.js';
import { ask } from './ask.js';

export interface PythonFacts {
  readonly program: string;
  readonly version: string | undefined;
  readonly smartredis: string | undefined;
}

const script = `
import sys
print(sys.version.split()[0])
import smartredis
try:
    import importlib.metadata as metadata
    print(metadata.version("smartredis"))
except Exception:
    print(getattr(smartredis, "__version__", "of an unknown version"))
`;

/** Python with SmartRedis, by which Python applications reach the store. */
export async function probePython(program: string): Promise<Probed<PythonFacts>> {
  const { stdout, ok, why } = await ask(program, '-c', script);
  const [version, smartredis] = stdout.split('\n').filter((line) => line !== '');
  const facts = { program, version, smartredis: ok ? smartredis : undefined };
  const topic = 'Python';
  if (version === undefined) {
    const advice = '--python PATH names another; only applications in Python need it';
    return { facts, findings: [{ topic, verdict: 'warning', message: `${program} does not run: ${why}`, advice }] };
  }
  if (facts.smartredis === undefined) {
    const advice = `${quoteShellWord(program)} -m pip install smartredis (Python 3.9 to 3.12); only applications in Python need it`;
    return { facts, findings: [{ topic, verdict: 'warning', message: `${version} has no smartredis`, advice }] };
  }
  return { facts, findings: [{ topic, verdict: 'ok', message: `${version} with smartredis ${facts.smartredis}` }] };
}
