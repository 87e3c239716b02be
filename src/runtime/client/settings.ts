import { ClientError } from './client-error.js';

/** Addresses and settings of a connection, as the environment says. */
export interface ClientSettings {
  readonly addresses: readonly StoreAddress[];
  readonly clustered: boolean;
  readonly sources: readonly string[];
  readonly keyOut: string | undefined;
  readonly connectAttempts: number;
  readonly connectIntervalMs: number;
  readonly commandAttempts: number;
  readonly commandIntervalMs: number;
  /** Silence that breaks a connection; undefined for none. */
  readonly socketTimeoutMs: number | undefined;
  readonly modelTimeoutMs: number;
}

/** One store. */
export type StoreAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** Variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables of SmartRedis clients: `SSDB`, `SR_DB_TYPE`, `SSKEYIN`, `SSKEYOUT`, `SR_*`; with a suffix `NAME_SUFFIX`.
 * Unlike theirs, silence breaks a connection only where `SR_SOCKET_TIMEOUT` is set.
 * @throws ClientError
 */
export function readSettings(env: Environment, suffix?: string): ClientSettings {
  const nameOf = (name: string): string => (suffix === undefined || suffix === '' ? name : `${name}_${suffix}`);
  const text = (name: string): string | undefined => env[nameOf(name)] || undefined;
  const number = (name: string, fallback: number): number => numberIn(nameOf(name), text(name)) ?? fallback;
  const ssdb = text('SSDB');
  if (ssdb === undefined) {
    throw new ClientError(`${nameOf('SSDB')} is not set: it says where the store is, as host:port or unix://PATH`);
  }
  const connectIntervalMs = number('SR_CONN_INTERVAL', 1000);
  const commandIntervalMs = number('SR_CMD_INTERVAL', 1000);
  return {
    addresses: ssdb.split(',').map((entry) => addressOf(entry.trim(), nameOf('SSDB'))),
    clustered: (text('SR_DB_TYPE') ?? 'Clustered').toLowerCase() === 'clustered',
    sources: (text('SSKEYIN') ?? '').split(',').filter((name) => name !== ''),
    keyOut: text('SSKEYOUT'),
    connectAttempts: attempts(number('SR_CONN_TIMEOUT', 100), connectIntervalMs),
    connectIntervalMs,
    commandAttempts: attempts(number('SR_CMD_TIMEOUT', 100), commandIntervalMs),
    commandIntervalMs,
    socketTimeoutMs: numberIn(nameOf('SR_SOCKET_TIMEOUT'), text('SR_SOCKET_TIMEOUT')),
    modelTimeoutMs: numberIn('SR_MODEL_TIMEOUT', env['SR_MODEL_TIMEOUT']) ?? 60_000_000,
  };
}

function attempts(timeoutSeconds: number, intervalMs: number): number {
  return Math.floor((timeoutSeconds * 1000) / Math.max(intervalMs, 1)) + 1;
}

function numberIn(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new ClientError(`${name} is '${text}'; it must be a whole number`);
  return Number(text);
}

function addressOf(entry: string, name: string): StoreAddress {
  if (entry.startsWith('unix://') && entry.length > 'unix://'.length) return { path: entry.slice('unix://'.length) };
  const match = /^(?:tcp:\/\/)?([^:/]+):(\d{1,5})$/.exec(entry);
  const [, host, port] = match ?? [];
  if (host === undefined || port === undefined) {
    throw new ClientError(`${name} has the entry '${entry}'; it must be host:port or unix://PATH`);
  }
  return { host, port: Number(port) };
}
