/** Writes the ASN.1 values that a certificate is made of, in DER (ITU-T X.690), and takes a written value apart. */

/** Tags of X.690 and X.680, with the bit for values made of values. */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;
/** Class of the tags whose meaning their place gives; with the bit for values made of values. */
const [CONTEXT, CONTEXT_CONSTRUCTED] = [0x80, 0xa0];
/** The characters of a PrintableString (X.680, 41.4). */
const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
/** RFC 5280, 4.1.2.5: years from here on are written with four digits. */
const GENERALIZED_TIME_YEAR = 2050;

/** The only BOOLEAN that is written: false is a default, and defaults are left out. */
export const TRUE = value(TAG.boolean, Uint8Array.of(0xff));

/** A SEQUENCE of written values. */
export function sequence(...values: readonly Uint8Array[]): Uint8Array {
  return value(TAG.sequence, ...values);
}

/** A SET of one written value: several would have to be sorted. */
export function setOf(member: Uint8Array): Uint8Array {
  return value(TAG.set, member);
}

/** A written value in the place that carries this number (EXPLICIT). */
export function explicit(place: number, content: Uint8Array): Uint8Array {
  return value(CONTEXT_CONSTRUCTED | place, content);
}

/** Bytes whose place says what they are (IMPLICIT, primitive). */
export function implicit(place: number, content: Uint8Array): Uint8Array {
  return value(CONTEXT | place, content);
}

/** An INTEGER of these bytes: big-endian two's complement, as short as can be. */
export function integer(content: Uint8Array): Uint8Array {
  return value(TAG.integer, content);
}

/** A BIT STRING of whole bytes, but for the `unused` last bits. */
export function bitString(content: Uint8Array, unused = 0): Uint8Array {
  return value(TAG.bitString, Uint8Array.of(unused), content);
}

/** An OCTET STRING. */
export function octetString(content: Uint8Array): Uint8Array {
  return value(TAG.octetString, content);
}

/** An OBJECT IDENTIFIER, from its numbers with dots between them. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  // X.690, 8.19.4: the first two share a number.
  return value(TAG.objectIdentifier, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** Seven bits to a byte; all bytes but the last have the eighth. */
function base128(number: number): readonly number[] {
  const bytes = [number & 0x7f];
  for (let left = number >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

/** A PrintableString where the characters allow it, otherwise a UTF8String: as Go's crypto/x509 writes names. */
export function text(characters: string): Uint8Array {
  return value(PRINTABLE.test(characters) ? TAG.printableString : TAG.utf8String, Buffer.from(characters));
}

/** A point in time, to the second, in the form that RFC 5280 wants for its year. */
export function time(atMs: number): Uint8Array {
  const date = new Date(atMs);
  const digits = `${date.toISOString().slice(0, 19).replaceAll(/\D/g, '')}Z`;
  return date.getUTCFullYear() < GENERALIZED_TIME_YEAR ? value(TAG.utcTime, Buffer.from(digits.slice(2))) : value(TAG.generalizedTime, Buffer.from(digits));
}

function value(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return Buffer.concat([Uint8Array.from([tag, ...lengthBytes(length)]), ...content]);
}

/** Below 128 the length itself; else how many bytes it takes, and these. */
function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let left = length; left > 0; left >>>= 8) bytes.unshift(left & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

/** The written values that a written SEQUENCE or SET holds. Trusts that it is whole: it was parsed before. */
export function membersOf(written: Uint8Array): readonly Uint8Array[] {
  const members: Uint8Array[] = [];
  for (let rest = contentOf(written); rest.length > 0;) {
    const end = extent(rest).end;
    members.push(rest.subarray(0, end));
    rest = rest.subarray(end);
  }
  return members;
}

/** What stands behind tag and length of a written value. */
export function contentOf(written: Uint8Array): Uint8Array {
  const { start, end } = extent(written);
  return written.subarray(start, end);
}

/** Where the content of the value at the front starts and ends. */
function extent(written: Uint8Array): { readonly start: number; readonly end: number } {
  const [, first = 0] = written;
  if (first < 0x80) return { start: 2, end: 2 + first };
  const start = 2 + (first & 0x7f);
  const length = written.subarray(2, start).reduce((sum, byte) => sum * 0x100 + byte, 0);
  return { start, end: start + length };
}
