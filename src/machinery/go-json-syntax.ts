/** What Go's encoding/json says of a text that is no JSON (scanner.go): this platform's parser words it otherwise. */
import { goQuote } from './go-text.ts';

const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const POINT = 0x2e;
const LITERALS: ReadonlyMap<number, string> = new Map(['true', 'false', 'null'].map((word) => [word.charCodeAt(0), word]));
const SPACES: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** The message for a text that is badly written; undefined for one that is JSON. */
export function goJsonSyntaxError(text: string): string | undefined {
  return new Scanner(new TextEncoder().encode(text)).problem();
}

/** Thrown to leave the scanner. */
class SyntaxProblem extends Error {
  override readonly name = 'SyntaxProblem';
}

/** What may come next. */
type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'after value';

class Scanner {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** The objects and lists that are open. */
  readonly #open: number[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  problem(): string | undefined {
    try {
      this.#scan();
      return undefined;
    } catch (thrown) {
      if (thrown instanceof SyntaxProblem) return thrown.message;
      throw thrown;
    }
  }

  #scan(): void {
    let expected: Expected = 'value';
    for (;;) {
      while (SPACES.has(this.#bytes[this.#at])) this.#at++;
      if (expected === 'after value' && this.#open.length === 0 && this.#at === this.#bytes.length) return;
      expected = this.#step(expected);
    }
  }

  #step(expected: Expected): Expected {
    const byte = this.#next();
    switch (expected) {
      case 'value':
      case 'value or end':
        return byte === CLOSE_LIST && expected === 'value or end' ? this.#close() : this.#value(byte);
      case 'key':
      case 'key or end':
        if (byte === CLOSE_OBJECT && expected === 'key or end') return this.#close();
        if (byte !== QUOTE) throw this.#bad(byte, 'looking for beginning of object key string');
        this.#string();
        return 'colon';
      case 'colon':
        if (byte !== COLON) throw this.#bad(byte, 'after object key');
        return 'value';
      case 'after value':
        return this.#afterValue(byte);
    }
  }

  #afterValue(byte: number): Expected {
    const open = this.#open.at(-1);
    if (open === undefined) throw this.#bad(byte, 'after top-level value');
    if (byte === COMMA) return open === OPEN_OBJECT ? 'key' : 'value';
    if (byte === (open === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_LIST)) return this.#close();
    throw this.#bad(byte, open === OPEN_OBJECT ? 'after object key:value pair' : 'after array element');
  }

  #close(): Expected {
    this.#open.pop();
    return 'after value';
  }

  #value(byte: number): Expected {
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      this.#open.push(byte);
      return byte === OPEN_OBJECT ? 'key or end' : 'value or end';
    }
    const literal = LITERALS.get(byte);
    if (byte === QUOTE) this.#string();
    else if (literal !== undefined) this.#literal(literal);
    else if (byte === MINUS || isDigit(byte)) this.#number(byte);
    else throw this.#bad(byte, 'looking for beginning of value');
    return 'after value';
  }

  #string(): void {
    for (let byte = this.#next(); byte !== QUOTE; byte = this.#next()) {
      if (byte < 0x20) throw this.#bad(byte, 'in string literal');
      if (byte === BACKSLASH) this.#escape();
    }
  }

  #escape(): void {
    const byte = this.#next();
    const letter = String.fromCharCode(byte);
    if (letter === 'u') {
      for (let digit = 0; digit < 4; digit++) this.#expect((hex) => /[0-9a-fA-F]/.test(String.fromCharCode(hex)), 'in \\u hexadecimal character escape');
    } else if (!'bfnrt\\/"'.includes(letter)) throw this.#bad(byte, 'in string escape code');
  }

  #literal(word: string): void {
    for (const letter of word.slice(1)) this.#expect((byte) => byte === letter.charCodeAt(0), `in literal ${word} (expecting '${letter}')`);
  }

  #number(first: number): void {
    const digit = first === MINUS ? this.#expect(isDigit, 'in numeric literal') : first;
    if (digit !== ZERO) this.#digits();
    if (this.#bytes[this.#at] === POINT) {
      this.#at++;
      this.#expect(isDigit, 'after decimal point in numeric literal');
      this.#digits();
    }
    if (!/[eE]/.test(String.fromCharCode(this.#bytes[this.#at] ?? 0))) return;
    this.#at++;
    if (/[-+]/.test(String.fromCharCode(this.#bytes[this.#at] ?? 0))) this.#at++;
    this.#expect(isDigit, 'in exponent of numeric literal');
    this.#digits();
  }

  #digits(): void {
    while (isDigit(this.#bytes[this.#at] ?? 0)) this.#at++;
  }

  #expect(isGood: (byte: number) => boolean, where: string): number {
    const byte = this.#next();
    if (!isGood(byte)) throw this.#bad(byte, where);
    return byte;
  }

  #next(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new SyntaxProblem('unexpected end of JSON input');
    return byte;
  }

  #bad(byte: number, where: string): SyntaxProblem {
    return new SyntaxProblem(`invalid character ${quoted(byte)} ${where}`);
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

/** Upstream: quoteChar, which takes a byte for a character. */
function quoted(byte: number): string {
  const character = String.fromCharCode(byte);
  if (character === "'") return String.raw`'\''`;
  return character === '"' ? `'"'` : `'${goQuote(character).slice(1, -1)}'`;
}
