/** A set of keys in byte order, searched by halving. */

/** Orders keys as their UTF-8 bytes do: code units, except that surrogates sort behind the rest of the basic plane. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  // The engine's own comparison is much faster, and right for all but these.
  if (!HIGH_UNIT.test(a) || !HIGH_UNIT.test(b)) return a < b ? -1 : 1;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return byteRank(left) - byteRank(right);
  }
  return a.length - b.length;
}

/** Code units whose order in UTF-16 is not that in UTF-8 when they meet each other. */
const HIGH_UNIT = /[\ud800-\uffff]/;

/** UTF-16 puts surrogates (0xD800–0xDFFF) before 0xE000–0xFFFF, UTF-8 after them. */
function byteRank(codeUnit: number): number {
  return codeUnit >= 0xd800 && codeUnit <= 0xdfff ? codeUnit + 0x10000 : codeUnit;
}

/** Keys in byte order without duplicates. */
export class SortedKeys {
  #keys: string[] = [];

  /** How many there are. */
  get size(): number {
    return this.#keys.length;
  }

  /** Adds `key` unless it is there. */
  add(key: string): void {
    const at = this.lowerBound(key);
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key);
  }

  /** Removes `key` if it is there. */
  delete(key: string): void {
    const at = this.lowerBound(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  /** Replaces the content by `keys` in any order. */
  reset(keys: Iterable<string>): void {
    this.#keys = [...keys].sort(compareKeys);
  }

  /** The keys that start with `prefix` and are not before `startKey`, in order. */
  below(prefix: string, startKey = ''): readonly string[] {
    const from = this.lowerBound(compareKeys(prefix, startKey) < 0 ? startKey : prefix);
    let low = from;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? '').startsWith(prefix)) low = middle + 1;
      else high = middle;
    }
    return this.#keys.slice(from, low);
  }

  /** The position of the first key that is not before `key`. */
  lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#keys[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
