/** Reads the text of literals: numbers and quoted strings with their escapes. */
import { int64, Uint, type Value } from './values.ts';

/** An integer literal, sign included; undefined when it does not fit int64. */
export function readInt(text: string): bigint | undefined {
  const negative = text.startsWith('-');
  const magnitude = BigInt(negative ? text.slice(1) : text);
  const value = int64(negative ? -magnitude : magnitude);
  return typeof value === 'bigint' ? value : undefined;
}

/** An unsigned literal with its suffix; undefined when it does not fit uint64. */
export function readUint(text: string): Uint | undefined {
  const value = BigInt(text.slice(0, -1));
  return value < 2n ** 64n ? new Uint(value) : undefined;
}

/** A floating point literal; undefined when it exceeds the range. */
export function readDouble(text: string): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A quoted literal's value, or the reason why it has none. */
export function readQuoted(text: string, bytes: boolean): { value: Value } | { error: string } {
  let body = bytes ? text.slice(1) : text;
  const raw = /^[rR]/.test(body);
  if (raw) body = body.slice(1);
  const width = /^("""|''')/.test(body) && body.length >= 6 ? 3 : 1;
  body = body.slice(width, -width).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  if (raw) return { value: bytes ? new TextEncoder().encode(body) : body };
  return unescape(body, bytes);
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
};

function unescape(body: string, bytes: boolean): { value: Value } | { error: string } {
  const out: number[] = [];
  let text = '';
  const put = (part: string): void => {
    if (bytes) out.push(...new TextEncoder().encode(part));
    else text += part;
  };
  for (let i = 0; i < body.length;) {
    const char = String.fromCodePoint(body.codePointAt(i) ?? 0);
    if (char !== '\\') {
      put(char);
      i += char.length;
      continue;
    }
    const escape = readEscape(body, i + 1);
    if ('letter' in escape) put(escape.letter);
    else if (bytes && !escape.unicode) out.push(escape.code);
    else if (bytes && escape.unicode) return { error: 'unable to unescape string' };
    else if (isSurrogate(escape.code) || escape.code > 0x10ffff) return { error: 'invalid unicode code point' };
    else put(String.fromCodePoint(escape.code));
    i = escape.next;
  }
  return { value: bytes ? Uint8Array.from(out) : text };
}

type Escape = { readonly letter: string; readonly next: number } | { readonly code: number; readonly unicode: boolean; readonly next: number };

function readEscape(body: string, at: number): Escape {
  const char = body[at] ?? '';
  const letter = SIMPLE[char];
  if (letter !== undefined) return { letter, next: at + 1 };
  const digits = { x: 2, X: 2, u: 4, U: 8 }[char];
  if (digits === undefined) return { code: Number.parseInt(body.slice(at, at + 3), 8), unicode: false, next: at + 3 };
  const end = at + 1 + digits;
  return { code: Number.parseInt(body.slice(at + 1, end), 16), unicode: digits > 2, next: end };
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}
