/** Tokens that may stand somewhere, as the texts of syntax errors list them. */
import { BYTES, ESC_IDENTIFIER, IDENTIFIER, NUM_FLOAT, NUM_INT, NUM_UINT, STRING, type TokenKind } from './lexer.ts';

/** The order in which the generated parser lists expected tokens. */
const TOKEN_ORDER: readonly TokenKind[] = [
  '==',
  '!=',
  'in',
  '<',
  '<=',
  '>=',
  '>',
  '&&',
  '||',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '.',
  ',',
  '-',
  '!',
  '?',
  ':',
  '+',
  '*',
  '/',
  '%',
  'true',
  'false',
  'null',
  NUM_FLOAT,
  NUM_INT,
  NUM_UINT,
  STRING,
  BYTES,
  IDENTIFIER,
  ESC_IDENTIFIER,
];

const BEGINNINGS: ReadonlySet<TokenKind> = new Set([
  '[',
  '{',
  '(',
  '.',
  '-',
  '!',
  'true',
  'false',
  'null',
  NUM_FLOAT,
  NUM_INT,
  NUM_UINT,
  STRING,
  BYTES,
  IDENTIFIER,
]);

/** What an expression may begin with. */
export const EXPRESSION_START: readonly TokenKind[] = TOKEN_ORDER.filter((kind) => BEGINNINGS.has(kind));

/** The tokens in that order. */
export function sortTokens(kinds: readonly TokenKind[]): TokenKind[] {
  return kinds.toSorted((a, b) => TOKEN_ORDER.indexOf(a) - TOKEN_ORDER.indexOf(b));
}

/** Tokens as error texts list them. */
export function describeTokens(kinds: readonly TokenKind[]): string {
  const names = kinds.map((kind) => (/^[A-Z<]/.test(kind) && kind.length > 2 ? kind : `'${kind}'`));
  return names.length === 1 ? (names[0] ?? '') : `{${names.join(', ')}}`;
}
