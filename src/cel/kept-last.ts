/** A cache of what was used last: when it is full, what was not used for longest goes. */

/** How much is kept: so many values, and so many characters of the texts they are kept by. */
export interface Room {
  readonly count: number;
  readonly characters: number;
}

/** Values by text. */
export class KeptLast<T> {
  readonly #room: Room;
  readonly #values = new Map<string, T>();
  #characters = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  /** The value kept for the text, or the one that `make` makes, which is kept from now on. */
  get(text: string, make: () => T): T {
    const known = this.#values.get(text);
    const value = known ?? make();
    if (known === undefined) this.#characters += text.length;
    else this.#values.delete(text);
    // A Map goes through its entries in order of insertion: the first is the one not used for longest.
    this.#values.set(text, value);
    this.#shrink();
    return value;
  }

  #shrink(): void {
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#room.count && this.#characters <= this.#room.characters) return;
      this.#values.delete(oldest);
      this.#characters -= oldest.length;
    }
  }
}
