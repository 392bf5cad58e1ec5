/** The wire format of protobuf: fields of a message in their order, nothing of what they mean. */

/** Thrown for bytes that are not this encoding, or hold what is not read in it. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** One field as it stands in a message. */
export interface WireField {
  readonly number: number;
  /** Of a varint field; undefined when the field has a length. */
  readonly value: bigint | undefined;
  /** Of a field with a length: text, bytes, a message or packed numbers. Of a fixed64 field its 8 bytes. */
  readonly bytes: Uint8Array;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
const EMPTY = new Uint8Array();

/** The fields of a message in wire order. Throws ProtobufError for bytes that break off. */
export function* fieldsOf(bytes: Uint8Array): Iterable<WireField> {
  const reader = new Reader(bytes);
  while (!reader.ended) {
    const tag = Number(reader.varint());
    const [number, wire] = [tag >>> 3, tag & 7];
    if (wire === VARINT) yield { number, value: reader.varint(), bytes: EMPTY };
    else if (wire === FIXED64) yield { number, value: undefined, bytes: reader.take(8) };
    else if (wire === FIXED32) reader.take(4);
    else if (wire === LENGTH_DELIMITED) yield { number, value: undefined, bytes: reader.take(Number(reader.varint())) };
    else throw new ProtobufError(`wire type ${String(wire)} is not used`);
  }
}

/** The numbers of a packed field. */
export function packedNumbers(bytes: Uint8Array): readonly bigint[] {
  const reader = new Reader(bytes);
  const numbers: bigint[] = [];
  while (!reader.ended) numbers.push(reader.varint());
  return numbers;
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new ProtobufError('a number breaks off');
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new ProtobufError('a field breaks off');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
