/** Splits the source into tokens, with the token recognition errors of cel-go's generated lexer. */
import type { ErrorList, Source } from './source.ts';

/** What a token is: the text of operators, brackets and the words `in`, `true`, `false`, `null`; else its class. */
export type TokenKind = string;

/** A token. `at` is a code point offset. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly at: number;
}

/** Token classes that carry text. */
export const NUM_FLOAT = 'NUM_FLOAT';
/** Signed integer literals, decimal or hexadecimal. */
export const NUM_INT = 'NUM_INT';
/** Unsigned integer literals. */
export const NUM_UINT = 'NUM_UINT';
/** String literals of every quoting. */
export const STRING = 'STRING';
/** Bytes literals. */
export const BYTES = 'BYTES';
/** Plain identifiers. */
export const IDENTIFIER = 'IDENTIFIER';
/** Back-quoted field names. */
export const ESC_IDENTIFIER = 'ESC_IDENTIFIER';
/** The end of the source. */
export const EOF = '<EOF>';

const OPERATORS = ['==', '!=', '<=', '>=', '&&', '||', '<', '>', '[', ']', '{', '}', '(', ')', '.', ',', '-', '!', '?', ':', '+', '*', '/', '%'];
const WORDS = new Set(['in', 'true', 'false', 'null']);

const IDENT = /[A-Za-z_][A-Za-z0-9_]*/y;
const ESC_IDENT = /`[A-Za-z0-9_.\-/ ]+`/y;
const NUMBER = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|(?:0x[0-9a-fA-F]+|\d+)[uU]?/y;
const BLANK = /[\t \r\n\f]+|\/\/[^\n]*/y;
const STRING_START = /(?:[bB]?[rR]|[bB])?(?:"""|'''|"|')/y;
const ESCAPE = /\\(?:[abfnrtv"'\\?`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})/y;

/** The tokens of the source, ended by EOF; what is no token is reported and skipped. */
export function tokenize(source: Source, errors: ErrorList): Token[] {
  return new Lexer(source, errors).run();
}

class Lexer {
  readonly #tokens: Token[] = [];
  readonly #text: string;
  #index = 0; // in UTF-16 units
  #at = 0; // the same place in code points

  readonly #errors: ErrorList;
  constructor(source: Source, errors: ErrorList) {
    this.#text = source.text;
    this.#errors = errors;
  }

  run(): Token[] {
    while (this.#index < this.#text.length) this.#next();
    this.#tokens.push({ kind: EOF, text: EOF, at: this.#at });
    return this.#tokens;
  }

  #next(): void {
    const blank = this.#match(BLANK);
    if (blank !== undefined) return this.#skip(blank);
    const opening = this.#match(STRING_START);
    if (opening !== undefined && this.#string(opening)) return;
    const number = this.#match(NUMBER);
    if (number !== undefined) return this.#push(numberKind(number), number);
    const word = this.#match(IDENT);
    if (word !== undefined) return this.#push(WORDS.has(word) ? word : IDENTIFIER, word);
    const quoted = this.#match(ESC_IDENT);
    if (quoted !== undefined) return this.#push(ESC_IDENTIFIER, quoted);
    const operator = OPERATORS.find((candidate) => this.#text.startsWith(candidate, this.#index));
    if (operator !== undefined) return this.#push(operator, operator);
    this.#unrecognized(this.#failureEnd());
  }

  /** Where the longest hopeless attempt at the current token stops, one character past its last good one. */
  #failureEnd(): number {
    const char = this.#text[this.#index] ?? '';
    let end = this.#index + ((this.#text.codePointAt(this.#index) ?? 0) > 0xffff ? 1 : 0);
    if (char === '`') {
      const rest = /`[A-Za-z0-9_.\-/ ]*/y;
      rest.lastIndex = this.#index;
      end = this.#index + (rest.exec(this.#text)?.[0].length ?? 0);
    } else if (char === '&' || char === '|' || char === '=') {
      end = this.#index + 1;
    }
    return Math.min(end + charLength(this.#text, end), this.#text.length);
  }

  /** Takes a string or bytes literal; false when an identifier or nothing stands here instead. */
  #string(opening: string): boolean {
    const quote = opening.endsWith('"""') || opening.endsWith("'''") ? opening.slice(-3) : opening.slice(-1);
    const raw = /[rR]/.test(opening);
    const end = scanString(this.#text, this.#index + opening.length, quote, raw);
    if (end.closed) {
      this.#push(/^[bB]/.test(opening) ? BYTES : STRING, this.#text.slice(this.#index, end.index));
      return true;
    }
    // `""` and `r""` are closed literals even where a triple quote begins that never ends.
    if (quote.length === 3) {
      const kind = /^[bB]/.test(opening) ? BYTES : STRING;
      this.#push(kind, opening.slice(0, -1));
      return true;
    }
    if (opening.length > 1) return false; // the letters are an identifier
    this.#unrecognized(Math.min(end.index + charLength(this.#text, end.index), this.#text.length));
    return true;
  }

  #unrecognized(end: number): void {
    const text = this.#text.slice(this.#index, end);
    this.#errors.add(this.#at, `Syntax error: token recognition error at: '${text}'`);
    this.#skip(text);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#index;
    return pattern.exec(this.#text)?.[0];
  }

  #push(kind: TokenKind, text: string): void {
    this.#tokens.push({ kind, text, at: this.#at });
    this.#skip(text);
  }

  #skip(text: string): void {
    this.#index += text.length;
    this.#at += codePoints(text);
  }
}

function numberKind(text: string): TokenKind {
  if (/[uU]$/.test(text)) return NUM_UINT;
  return !text.startsWith('0x') && /[.eE]/.test(text) ? NUM_FLOAT : NUM_INT;
}

/** Finds the end of a string body; on failure `index` is the character that cannot stand there. */
function scanString(text: string, from: number, quote: string, raw: boolean): { closed: boolean; index: number } {
  let index = from;
  while (index < text.length) {
    if (text.startsWith(quote, index)) return { closed: true, index: index + quote.length };
    const char = text[index];
    if (quote.length === 1 && (char === '\n' || char === '\r')) return { closed: false, index };
    if (char === '\\' && !raw) {
      ESCAPE.lastIndex = index;
      const escape = ESCAPE.exec(text)?.[0];
      if (escape === undefined) return { closed: false, index: index + escapePrefix(text, index) };
      index += escape.length;
    } else {
      index++;
    }
  }
  return { closed: false, index };
}

/** How many characters of a broken escape are still those of a good one. */
function escapePrefix(text: string, index: number): number {
  const prefix = /\\(?:[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|[0-3][0-7]?)?/y;
  prefix.lastIndex = index;
  return prefix.exec(text)?.[0].length ?? 1;
}

function charLength(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
