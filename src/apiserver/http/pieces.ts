/** Answers made of texts and of bytes that are encoded already, put together while they are sent. */

const encoder = new TextEncoder();

/** UTF-8 of `text`. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Part of an answer: text, or bytes that are encoded already. */
export type Piece = string | Uint8Array;

/** The pieces one after the other, texts in UTF-8. */
export function joined(pieces: readonly Piece[]): Uint8Array {
  return new PiecedBody(pieces).whole();
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
  readonly #pieces: readonly Piece[];
  /** All texts behind one another: to encode them in one go costs a fraction. */
  readonly #texts: Uint8Array;
  #piece = 0;
  /** Bytes of the piece that are given out already. */
  #within = 0;
  /** Where the piece begins in #texts, if it is a text. */
  #text = 0;

  constructor(pieces: readonly Piece[]) {
    const text = textOf(pieces);
    const encoded = utf8(text);
    const ascii = encoded.length === text.length;
    // Where texts are not ASCII, their lengths are not those of their bytes.
    this.#pieces = ascii ? pieces : pieces.map((piece) => (typeof piece === 'string' ? utf8(piece) : piece));
    this.#texts = encoded;
    let length = 0;
    for (const piece of this.#pieces) length += piece.length;
    this.length = length;
  }

  /** Writes the next bytes from the start of `part` on; how many, 0 when there are no more. */
  fill(part: Uint8Array): number {
    let at = 0;
    while (at < part.length) {
      const piece = this.#pieces[this.#piece];
      if (piece === undefined) break;
      const length = Math.min(piece.length - this.#within, part.length - at);
      this.#copy(piece, length, part, at);
      at += length;
      this.#within += length;
      if (this.#within < piece.length) continue;
      if (typeof piece === 'string') this.#text += piece.length;
      this.#within = 0;
      this.#piece++;
    }
    return at;
  }

  #copy(piece: Piece, length: number, part: Uint8Array, at: number): void {
    const from = this.#within;
    if (typeof piece === 'string') part.set(this.#texts.subarray(this.#text + from, this.#text + from + length), at);
    else part.set(length === piece.length ? piece : piece.subarray(from, from + length), at);
  }

  /** All bytes that are left. */
  whole(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    this.fill(bytes);
    return bytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let left = this.length; left > 0;) {
      const part = new Uint8Array(Math.min(left, PART_BYTES));
      left -= this.fill(part);
      yield part;
    }
  }
}

function textOf(pieces: readonly Piece[]): string {
  let text = '';
  for (const piece of pieces) if (typeof piece === 'string') text += piece;
  return text;
}
