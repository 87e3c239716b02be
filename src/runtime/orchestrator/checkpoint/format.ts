/** The first bytes of a checkpoint. */
export const magic = Buffer.from('SIMWRIGHT STORE\n');

/** Version of the layout: a file of another is refused. */
export const formatVersion = 1;

/**
 * First byte of a record. After it come the key and the moment at which it expires (a double, milliseconds since
 * 1970, 0 for never); then the value. Lengths and counts are doubles, all numbers little-endian. `end` comes last,
 * with the number of records and the CRC-32 of everything before that.
 */
export const recordKinds = { end: 0, string: 1, tensor: 2, hash: 3, list: 4, model: 5, script: 6 } as const;
