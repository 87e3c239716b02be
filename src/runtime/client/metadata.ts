import { ClientError } from './client-error.js';

/** The types of metadata. */
export type MetaType = 'DOUBLE' | 'FLOAT' | 'INT32' | 'INT64' | 'UINT32' | 'UINT64' | 'STRING';

/** The values of one field. */
export interface MetaValues {
  readonly type: MetaType;
  /** Texts for STRING, bigints for 64-bit integers, else numbers. */
  readonly values: readonly (number | bigint | string)[];
}

interface Codec {
  readonly bytes: number;
  write(bytes: Buffer, value: number | bigint, at: number): void;
  read(bytes: Buffer, at: number): number | bigint;
}

const codecs: Readonly<Record<Exclude<MetaType, 'STRING'>, Codec>> = {
  DOUBLE: {
    bytes: 8,
    write: (bytes, value, at) => bytes.writeDoubleLE(Number(value), at),
    read: (bytes, at) => bytes.readDoubleLE(at),
  },
  FLOAT: {
    bytes: 4,
    write: (bytes, value, at) => bytes.writeFloatLE(Number(value), at),
    read: (bytes, at) => bytes.readFloatLE(at),
  },
  INT32: {
    bytes: 4,
    write: (bytes, value, at) => bytes.writeInt32LE(Number(value), at),
    read: (bytes, at) => bytes.readInt32LE(at),
  },
  INT64: {
    bytes: 8,
    write: (bytes, value, at) => bytes.writeBigInt64LE(BigInt(value), at),
    read: (bytes, at) => bytes.readBigInt64LE(at),
  },
  UINT32: {
    bytes: 4,
    write: (bytes, value, at) => bytes.writeUInt32LE(Number(value), at),
    read: (bytes, at) => bytes.readUInt32LE(at),
  },
  UINT64: {
    bytes: 8,
    write: (bytes, value, at) => bytes.writeBigUInt64LE(BigInt(value), at),
    read: (bytes, at) => bytes.readBigUInt64LE(at),
  },
};

/** The first byte of a field's value says its type: its place here. */
const types: readonly (MetaType | undefined)[] = [
  undefined,
  'DOUBLE',
  'FLOAT',
  'INT32',
  'INT64',
  'UINT32',
  'UINT64',
  'STRING',
];

/** A field as it is stored. @throws ClientError if a value does not fit the type */
export function encodeField({ type, values }: MetaValues): Buffer {
  const code = Buffer.from([types.indexOf(type)]);
  if (type === 'STRING') {
    const parts = values.flatMap((value) => {
      const text = Buffer.from(String(value));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(text.length));
      return [length, text];
    });
    return Buffer.concat([code, ...parts]);
  }
  const codec = codecs[type];
  const bytes = Buffer.alloc(values.length * codec.bytes);
  for (const [index, value] of values.entries()) {
    try {
      if (typeof value === 'string') throw new TypeError();
      codec.write(bytes, value, index * codec.bytes);
    } catch {
      throw new ClientError(`${String(value)} is no ${type}`);
    }
  }
  return Buffer.concat([code, bytes]);
}

/** @throws ClientError if the bytes are no field */
export function decodeField(bytes: Buffer, field: string): MetaValues {
  const type = types[bytes[0] ?? 0];
  const broken = (): ClientError => new ClientError(`the field '${field}' of a data set cannot be read`);
  if (type === undefined) throw broken();
  const values: (number | bigint | string)[] = [];
  if (type === 'STRING') {
    for (let at = 1; at < bytes.length; ) {
      if (at + 8 > bytes.length) throw broken();
      const end = at + 8 + Number(bytes.readBigUInt64LE(at));
      if (end > bytes.length) throw broken();
      values.push(bytes.toString('utf8', at + 8, end));
      at = end;
    }
    return { type, values };
  }
  const codec = codecs[type];
  if ((bytes.length - 1) % codec.bytes !== 0) throw broken();
  for (let at = 1; at < bytes.length; at += codec.bytes) values.push(codec.read(bytes, at));
  return { type, values };
}
