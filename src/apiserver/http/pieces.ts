/** Answers made of texts and of bytes that are encoded already, put together while they are sent. */

const encoder = new TextEncoder();

/** UTF-8 of `text`. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The parts one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first = NOTHING] = parts;
  if (parts.length <= 1) return first;
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const NOTHING = new Uint8Array(0);
/** Texts up to so many characters are encoded together: one at a time each would cost several times its encoding. */
const SHORT_TEXT = 4096;

/** Collects the pieces of a body: texts, and bytes that stay where they are. */
export class Pieces {
  #text = '';
  #textLength = 0;
  /** Before each of #bytes so many characters of #text, and what is left of them at the end. */
  readonly #textLengths: number[] = [];
  readonly #bytes: Uint8Array[] = [];
  #bytesLength = 0;
  /** How much of both there was at each mark. */
  readonly #marks: { readonly textLength: number; readonly bytesLength: number }[] = [];

  /** Of all pieces, where texts are ASCII; otherwise it is a little more. */
  get length(): number {
    return this.#text.length + this.#bytesLength;
  }

  /** Adds a text. */
  text(text: string): this {
    if (text.length > SHORT_TEXT) return this.bytes(utf8(text));
    this.#text += text;
    return this;
  }

  /** Adds bytes, which nobody changes any more. */
  bytes(bytes: Uint8Array): this {
    this.#textLengths.push(this.#text.length - this.#textLength);
    this.#textLength = this.#text.length;
    this.#bytes.push(bytes);
    this.#bytesLength += bytes.length;
    return this;
  }

  /** Remembers the place that the pieces have come to. */
  mark(): void {
    this.#marks.push({ textLength: this.#text.length, bytesLength: this.#bytesLength });
  }

  /** All pieces in one, and where in it the marks are. */
  marked(): { readonly bytes: Uint8Array; readonly marks: readonly number[] } {
    const { length } = this.#text;
    const bytes = this.joined();
    if (bytes.length - this.#bytesLength === length) return { bytes, marks: this.#marks.map(({ textLength, bytesLength }) => textLength + bytesLength) };
    const lengths = this.#marks.map(({ textLength }, at) => textLength - (this.#marks[at - 1]?.textLength ?? 0));
    let texts = 0;
    const textBytes = this.#lengthsInBytes(lengths).map((inBytes) => (texts += inBytes));
    return { bytes, marks: this.#marks.map(({ bytesLength }, at) => (textBytes[at] ?? 0) + bytesLength) };
  }

  /** All pieces as a body. */
  body(): PiecedBody {
    const texts = utf8(this.#text);
    const textLengths = [...this.#textLengths, this.#text.length - this.#textLength];
    const length = texts.length + this.#bytesLength;
    return new PiecedBody({
      texts,
      textLengths: texts.length === this.#text.length ? textLengths : this.#lengthsInBytes(textLengths),
      bytes: this.#bytes,
      length,
    });
  }

  /** Where texts are not ASCII, their lengths are not those of their bytes. */
  #lengthsInBytes(lengths: readonly number[]): readonly number[] {
    let at = 0;
    return lengths.map((length) => utf8(this.#text.slice(at, (at += length))).length);
  }

  /** All pieces in one. */
  joined(): Uint8Array {
    return this.body().whole();
  }
}

interface Parts {
  /** All texts behind one another. */
  readonly texts: Uint8Array;
  /** How much of `texts` comes before each of `bytes`, and after the last of them. */
  readonly textLengths: readonly number[];
  readonly bytes: readonly Uint8Array[];
  readonly length: number;
}

/** What those who iterate over a body are given at a time. */
const PART_BYTES = 256 * 1024;

/**
 * A body of known length that is never whole in memory: whoever sends it brings the buffer, part by part, and may bring the same one
 * again. It can be read once.
 */
export class PiecedBody implements AsyncIterable<Uint8Array> {
  /** Bytes. */
  readonly length: number;
  readonly #parts: Parts;
  /** Which piece is next: twice its place in `bytes`, one less for the text before it. */
  #next = 0;
  /** What is next of the piece, if it was begun. */
  #rest: Uint8Array | undefined;
  /** Where the next text begins in `texts`. */
  #text = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.length = parts.length;
  }

  /** Writes the next bytes from the start of `part` on; how many, 0 when there are no more. */
  fill(part: Uint8Array): number {
    let at = 0;
    for (;;) {
      const piece = this.#rest ?? this.#nextPiece();
      if (piece === undefined) return at;
      const room = part.length - at;
      if (piece.length > room) {
        part.set(piece.subarray(0, room), at);
        this.#rest = piece.subarray(room);
        return part.length;
      }
      part.set(piece, at);
      at += piece.length;
      this.#rest = undefined;
    }
  }

  #nextPiece(): Uint8Array | undefined {
    const { texts, textLengths, bytes } = this.#parts;
    const at = this.#next >> 1;
    if (this.#next++ % 2 === 1) return bytes[at];
    const length = textLengths[at];
    return length === undefined ? undefined : texts.subarray(this.#text, (this.#text += length));
  }

  /** All bytes that are left. */
  whole(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    return bytes.subarray(0, this.fill(bytes));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let left = this.length; left > 0;) {
      const part = new Uint8Array(Math.min(left, PART_BYTES));
      left -= this.fill(part);
      yield part;
    }
  }
}
