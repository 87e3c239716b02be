/** A protobuf message that grows field by field. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** The message's bytes. */
  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** An integer field (wire type 0). */
  integer(number: number, value: number | bigint): this {
    this.#varint(BigInt(number) << 3n);
    this.#varint(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  /** A field of 32 bits (wire type 5). */
  float(number: number, value: number): this {
    this.#varint((BigInt(number) << 3n) | 5n);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#push(bytes);
    return this;
  }

  /** A field of bytes, text, or another message (wire type 2). */
  bytes(number: number, value: Uint8Array | string | MessageWriter): this {
    const bytes =
      typeof value === 'string'
        ? new TextEncoder().encode(value)
        : value instanceof MessageWriter
          ? value.finish()
          : value;
    this.#varint((BigInt(number) << 3n) | 2n);
    this.#varint(BigInt(bytes.length));
    this.#push(bytes);
    return this;
  }

  #varint(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#push(Uint8Array.from(bytes));
  }

  #push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }
}
