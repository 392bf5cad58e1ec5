/** Choices read from bytes: the same bytes make the same choices, fewer bytes simpler ones, so that shrinking bytes shrinks what is made of them. */

/** A reader of choices. */
export class Entropy {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether all bytes are read; from then on every choice is the first. */
  get isSpent(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** A number from 0 to `end` - 1. */
  below(end: number): number {
    const high = end > 256 ? this.#next() * 256 : 0;
    return (high + this.#next()) % end;
  }

  #next(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** One of the choices. */
  pick<T>(choices: readonly T[], otherwise: T): T {
    return choices[this.below(Math.max(1, choices.length))] ?? otherwise;
  }

  /** True once in about `times`; never when the bytes are spent. */
  onceIn(times: number): boolean {
    return this.below(times) === times - 1;
  }
}
