import type { StoredValue } from '../keyspace/values.js';
import { type Command, CommandError } from './command.js';
import { arityError, keyword, latin1 } from './words.js';

/** Strings up to this size Redis keeps beside their header. */
const embeddedBytes = 44;
/** Hashes up to this many fields, of values up to this size, Redis keeps packed. */
const packedFields = 128;
const packedBytes = 64;

/** `OBJECT ENCODING | FREQ | IDLETIME | REFCOUNT key`; ENCODING is what Redis would use for the same content. */
export const object: Command = {
  name: 'object',
  arity: -2,
  flags: ['readonly'],
  keys: [0, 0, 0],
  run({ keyspace, server }, words) {
    const subcommand = keyword(words[1]);
    if (!['ENCODING', 'FREQ', 'IDLETIME', 'REFCOUNT'].includes(subcommand)) {
      throw new CommandError(`ERR unknown subcommand '${latin1(words[1])}'. Try OBJECT HELP.`);
    }
    if (words.length !== 3) throw arityError(`object|${subcommand.toLowerCase()}`);
    const key = latin1(words[2]);
    const value = keyspace.peek(key)?.value;
    const usage = keyspace.usage(key);
    if (value === undefined || usage === undefined) return null;
    const countsUses = server.settings.evictionPolicy.endsWith('-lfu');
    switch (subcommand) {
      case 'ENCODING':
        return encodingOf(value);
      case 'REFCOUNT':
        return 1;
      case 'FREQ':
        if (countsUses) return usage.uses;
        throw new CommandError(
          'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
        );
      default:
        if (!countsUses) return usage.idleSeconds;
        throw new CommandError(
          'ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
        );
    }
  },
};

function encodingOf(value: StoredValue): string {
  switch (value.kind) {
    case 'string': {
      const bytes = value.bytes.here;
      if (/^(0|-?[1-9]\d{0,18})$/.test(bytes.subarray(0, 21).toString('latin1')) && isSigned64(bytes)) return 'int';
      return bytes.length <= embeddedBytes ? 'embstr' : 'raw';
    }
    case 'hash': {
      if (value.fields.size > packedFields) return 'hashtable';
      for (const [field, content] of value.fields) {
        if (field.length > packedBytes || content.length > packedBytes) return 'hashtable';
      }
      return 'listpack';
    }
    case 'list':
      return 'quicklist';
    default:
      return 'raw';
  }
}

function isSigned64(bytes: Buffer): boolean {
  const value = BigInt(bytes.toString('latin1'));
  return BigInt.asIntN(64, value) === value;
}
