import { basename, dirname } from 'node:path';
import { parseEvictionPolicy } from '../keyspace/eviction.js';
import { matchesGlob } from '../keyspace/glob.js';
import { keepSparesWithin } from '../memory/spare-buffers.js';
import { MapReply, ok, type Reply } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import type { ServerFacts, ServerSettings } from './server-facts.js';
import { arityError, keyword, latin1 } from './words.js';

/** `CONFIG GET pattern… | SET name value… | RESETSTAT` */
export const config: Command = {
  name: 'config',
  arity: -2,
  flags: ['admin'],
  keys: [0, 0, 0],
  run(context, words) {
    const { server, keyspace } = context;
    switch (keyword(words[1])) {
      case 'GET': {
        if (words.length < 3) throw arityError('config|get');
        const all = parameters(server);
        const found = new Map(words.slice(2).flatMap((word) => matching(all, latin1(word))));
        return new MapReply([...found].flat());
      }
      case 'SET':
        if (words.length < 4) throw arityError('config|set');
        setParameters(server, words);
        keyspace.countsUses = server.settings.evictionPolicy.endsWith('-lfu');
        return ok satisfies Reply;
      case 'RESETSTAT':
        return ok;
      default:
        throw new CommandError(`ERR unknown subcommand '${latin1(words[1])}'. Try CONFIG HELP.`);
    }
  },
};

/** Names and values; a name in full is given back as it was written. */
function matching(all: ReadonlyMap<string, string>, pattern: string): (readonly [string, string])[] {
  const value = all.get(pattern.toLowerCase());
  if (value !== undefined) return [[pattern, value]];
  return [...all].filter(([name]) => matchesGlob(pattern.toLowerCase(), name));
}

/** Parameters that follow from the server's options, and after them those that clients may change. */
function parameters({ limits, port, settings, saving }: ServerFacts): ReadonlyMap<string, string> {
  return new Map([
    ['port', String(port())],
    ['maxclients', String(limits.maxClients)],
    ['proto-max-bulk-len', String(limits.maxBulkBytes)],
    ['databases', '1'],
    ['appendonly', 'no'],
    ['save', ''],
    ['dir', saving.file === undefined ? process.cwd() : dirname(saving.file)],
    ['dbfilename', saving.file === undefined ? '' : basename(saving.file)],
    ['maxmemory', String(settings.maxMemoryBytes)],
    ['maxmemory-policy', settings.evictionPolicy],
    ...settings.parameters,
  ]);
}

type Change = (settings: ServerSettings) => void;

/** As Redis lists them. */
const policyNames =
  'volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction';

/** Checks a value; returns the change, or says what is wrong with it. */
const changeable: ReadonlyMap<string, (value: string) => Change | string> = new Map([
  ['maxmemory', changeMemory],
  ['maxmemory-policy', changePolicy],
]);

function changeMemory(value: string): Change | string {
  const bytes = memoryBytes(value);
  if (bytes === undefined) return 'argument must be a memory value';
  return (settings) => {
    settings.maxMemoryBytes = bytes;
    keepSparesWithin(bytes);
  };
}

function changePolicy(value: string): Change | string {
  const policy = parseEvictionPolicy(value);
  if (policy === undefined) return `argument(s) must be one of the following: ${policyNames}`;
  return (settings) => {
    settings.evictionPolicy = policy;
  };
}

/** All of them or none. */
function setParameters(server: ServerFacts, words: readonly Buffer[]): void {
  const changes: Change[] = [];
  for (let at = 2; at < words.length; at += 2) {
    const name = latin1(words[at]).toLowerCase();
    const word = words[at + 1];
    if (word === undefined || !parameters(server).has(name)) {
      throw new CommandError(`ERR Unknown option or number of arguments for CONFIG SET - '${latin1(words[at])}'`);
    }
    const value = latin1(word);
    const change = changeable.get(name)?.(value);
    if (typeof change === 'string') throw refusal(name, change);
    if (change !== undefined) changes.push(change);
    else if (server.settings.parameters.has(name)) {
      changes.push(({ parameters: others }) => others.set(name, value));
    } else throw refusal(name, "can't set immutable config");
  }
  for (const change of changes) change(server.settings);
}

function refusal(name: string, why: string): CommandError {
  return new CommandError(`ERR CONFIG SET failed (possibly related to argument '${name}') - ${why}`);
}

const units: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['k', 1000],
  ['kb', 1024],
  ['m', 1000 ** 2],
  ['mb', 1024 ** 2],
  ['g', 1000 ** 3],
  ['gb', 1024 ** 3],
]);

function memoryBytes(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d{1,15})([a-z]*)$/i.exec(text) ?? [];
  const factor = units.get(unit.toLowerCase());
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor;
}
