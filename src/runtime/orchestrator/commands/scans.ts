import type { Reply } from '../resp/reply.js';
import type { Command } from './command.js';
import { inTurns } from './turns.js';

/** Keys and what they hold, as far as a scan looks at them. */
export interface ScanContext {
  readonly keyspace: {
    keys(): Iterator<string>;
    peek(key: string): { readonly value: { readonly kind: string; readonly tag?: Buffer } } | undefined;
  };
}

function scanOf(name: string, kind: 'model' | 'script'): Command<ScanContext> {
  return {
    name,
    arity: 1,
    flags: ['readonly'],
    keys: [0, 0, 0],
    run({ keyspace }) {
      const found: Reply[] = [];
      const visit = (key: string): void => {
        const value = keyspace.peek(key)?.value;
        if (value?.kind === kind) found.push([Buffer.from(key, 'latin1'), value.tag ?? '']);
      };
      return inTurns(keyspace.keys(), visit, () => found);
    },
  };
}

/** `AI._MODELSCAN`: keys and tags of the models. */
export const modelScan = scanOf('ai._modelscan', 'model');

/** `AI._SCRIPTSCAN`: keys and tags of the scripts. */
export const scriptScan = scanOf('ai._scriptscan', 'script');
