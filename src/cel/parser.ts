/** Parses an expression: recursive descent over the grammar of cel-go, with its error texts and depth limit. */
import { type CallExpr, type Expr, type MapEntry, qualifiedName, type StructField } from './ast.ts';
import { BYTES, EOF, ESC_IDENTIFIER, IDENTIFIER, NUM_FLOAT, NUM_INT, NUM_UINT, STRING, type Token, type TokenKind, tokenize } from './lexer.ts';
import { readDouble, readInt, readQuoted, readUint } from './literals.ts';
import { expandMacro, type MacroSet } from './macros.ts';
import type { ErrorList, Source } from './source.ts';
import type { Value } from './values.ts';

/** Nesting that cel-go's parser allows (parser options, maxRecursionDepth). */
const MAX_RECURSION_DEPTH = 250;

/** Words that are kept for later languages and are no names (parser.go, reservedIds). */
const RESERVED = new Set('as break const continue else false for function if import in let loop package namespace null return true var void while'.split(' '));

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

const EXPRESSION_START: readonly TokenKind[] = ['[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER];
const RELATIONS: ReadonlySet<TokenKind> = new Set(['<', '<=', '>=', '>', '==', '!=', 'in']);

const CONSTANTS: ReadonlySet<TokenKind> = new Set(['true', 'false', 'null']);

/** Thrown when nothing sensible can follow the error already recorded. */
class Abandoned extends Error {}

/** The tree of the source, or undefined after recording errors. */
export function parse(source: Source, macros: MacroSet, errors: ErrorList): Expr | undefined {
  const parser = new Parser(tokenize(source, errors), macros, errors);
  try {
    const expr = parser.start();
    return errors.size === 0 ? expr : undefined;
  } catch (thrown) {
    if (thrown instanceof Abandoned) return undefined;
    throw thrown;
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #macros: MacroSet;
  readonly #errors: ErrorList;
  #position = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], macros: MacroSet, errors: ErrorList) {
    this.#tokens = tokens;
    this.#macros = macros;
    this.#errors = errors;
  }

  start(): Expr {
    const expr = this.#expression();
    this.#expect(EOF, [EOF]);
    return expr;
  }

  get #current(): Token {
    return this.#ahead(0);
  }

  #ahead(distance: number): Token {
    return this.#tokens[Math.min(this.#position + distance, this.#tokens.length - 1)] ?? { kind: EOF, text: EOF, at: 0 };
  }

  #take(): Token {
    const token = this.#current;
    this.#position++;
    return token;
  }

  #accept(kind: TokenKind): Token | undefined {
    return this.#current.kind === kind ? this.#take() : undefined;
  }

  /** Takes the token, or mends the input by one token as the generated parser does, or gives up. */
  #expect(kind: TokenKind, expected: readonly TokenKind[]): Token {
    const token = this.#current;
    if (token.kind === kind) return this.#take();
    if (this.#ahead(1).kind === kind) {
      this.#syntax(token, `extraneous input '${token.text}' expecting ${describeTokens(expected)}`);
      this.#position++;
      return this.#take();
    }
    if (kind === ':' ? EXPRESSION_START.includes(token.kind) : CLOSING.has(kind) && this.#followsClosing(token.kind)) {
      this.#syntax(token, `missing '${kind}' at '${token.text}'`);
      return { kind, text: kind, at: token.at };
    }
    return this.#mismatch(expected);
  }

  #followsClosing(kind: TokenKind): boolean {
    return kind === EOF || kind === ':' || CLOSING.has(kind) || RELATIONS.has(kind) || ['&&', '||', '?', '+', '-', '*', '/', '%', '.', ','].includes(kind);
  }

  #mismatch(expected: readonly TokenKind[]): never {
    const token = this.#current;
    this.#syntax(token, `mismatched input '${token.text}' expecting ${describeTokens(expected)}`);
    throw new Abandoned();
  }

  #syntax(token: Token, message: string): void {
    this.#errors.add(token.at, `Syntax error: ${message}`);
  }

  #enter(): void {
    if (++this.#depth <= MAX_RECURSION_DEPTH) return;
    this.#errors.addUnplaced('max recursion depth exceeded');
    throw new Abandoned();
  }

  #expression(): Expr {
    this.#enter();
    const condition = this.#logical('||');
    const question = this.#accept('?');
    let expr = condition;
    if (question !== undefined) {
      const truthy = this.#logical('||');
      this.#expect(':', [':']);
      expr = call(question.at, '_?_:_', [condition, truthy, this.#expression()]);
    }
    this.#depth--;
    return expr;
  }

  #logical(operator: '||' | '&&'): Expr {
    const next = (): Expr => (operator === '||' ? this.#logical('&&') : this.#relation());
    const terms = [next()];
    const places: number[] = [];
    for (let token = this.#accept(operator); token !== undefined; token = this.#accept(operator)) {
      places.push(token.at);
      terms.push(next());
    }
    return balanced(operator === '||' ? '_||_' : '_&&_', terms, places);
  }

  #relation(): Expr {
    let left = this.#sum();
    let chain = 0;
    while (RELATIONS.has(this.#current.kind)) {
      const token = this.#take();
      this.#enter();
      chain++;
      left = call(token.at, token.kind === 'in' ? '@in' : `_${token.kind}_`, [left, this.#sum()]);
    }
    this.#depth -= chain;
    return left;
  }

  #sum(): Expr {
    return this.#chain(['+', '-'], () => this.#chain(['*', '/', '%'], () => this.#unary()));
  }

  #chain(operators: readonly TokenKind[], next: () => Expr): Expr {
    let left = next();
    let chain = 0;
    while (operators.includes(this.#current.kind)) {
      const token = this.#take();
      this.#enter();
      chain++;
      left = call(token.at, `_${token.kind}_`, [left, next()]);
    }
    this.#depth -= chain;
    return left;
  }

  #unary(): Expr {
    const first = this.#current;
    const numeral = this.#ahead(1).kind;
    if (first.kind === '-' && (numeral === NUM_INT || numeral === NUM_FLOAT)) return this.#member();
    if (first.kind !== '!' && first.kind !== '-') return this.#member();
    let count = 0;
    while (this.#accept(first.kind) !== undefined) count++;
    const operand = this.#member();
    return count % 2 === 0 ? operand : call(first.at, `${first.kind}_`, [operand]);
  }

  #member(): Expr {
    let expr = this.#primary();
    let chain = 0;
    for (;;) {
      const token = this.#current;
      if (token.kind === '.') expr = this.#field(expr, this.#take());
      else if (token.kind === '[') expr = this.#index(expr, this.#take());
      else if (token.kind === '{' && qualifiedName(expr) !== undefined) expr = this.#struct(qualifiedName(expr) ?? '', this.#take());
      else break;
      this.#enter();
      chain++;
    }
    this.#depth -= chain;
    return expr;
  }

  #field(operand: Expr, dot: Token): Expr {
    const optional = this.#accept('?');
    const name = this.#current;
    if (name.kind !== IDENTIFIER && name.kind !== ESC_IDENTIFIER) this.#noField(dot, optional);
    this.#take();
    const open = optional === undefined && name.kind === IDENTIFIER ? this.#accept('(') : undefined;
    if (open !== undefined) return this.#call(open.at, name.text, operand);
    const field = name.kind === ESC_IDENTIFIER ? name.text.slice(1, -1) : name.text;
    if (optional === undefined) return { kind: 'select', at: dot.at, operand, field, testOnly: false };
    return this.#optional(optional) ?? call(dot.at, '_?._', [operand, { kind: 'literal', at: dot.at, value: field }]);
  }

  /** No name follows a dot; the generated parser words that by what it had to tell apart. */
  #noField(dot: Token, optional: Token | undefined): never {
    const token = this.#current;
    if (optional === undefined && !CONSTANTS.has(token.kind)) {
      const gap = this.#errors.source.slice(dot.at + 1, token.at).replace(/\S/g, '');
      this.#syntax(token, `no viable alternative at input '.${gap}${token.kind === EOF ? '' : token.text}'`);
      throw new Abandoned();
    }
    this.#syntax(token, `mismatched input '${token.text}' expecting ${describeTokens(optional === undefined ? [IDENTIFIER] : [IDENTIFIER, ESC_IDENTIFIER])}`);
    if (optional !== undefined) this.#errors.add(token.at, 'unsupported ident kind');
    throw new Abandoned();
  }

  #index(operand: Expr, open: Token): Expr {
    const optional = this.#accept('?');
    const index = this.#expression();
    this.#expect(']', [']']);
    if (optional === undefined) return call(open.at, '_[_]', [operand, index]);
    return this.#optional(optional) ?? call(open.at, '_[?_]', [operand, index]);
  }

  /** Refuses optional syntax in environments that do not have it. */
  #optional(token: Token): Expr | undefined {
    if (this.#macros.optionals) return undefined;
    this.#errors.add(token.at, "unsupported syntax '?'");
    return broken(token.at);
  }

  #call(at: number, name: string, target?: Expr): Expr {
    const args: Expr[] = [];
    if (this.#current.kind !== ')' && !this.#startsExpression()) this.#noArgument();
    if (this.#current.kind !== ')') {
      do args.push(this.#expression());
      while (this.#accept(',') !== undefined);
    }
    this.#expect(')', [')']);
    const macro = expandMacro({ at, name, target, args }, this.#macros, this.#errors);
    if (macro.kind === 'expanded') return macro.expr;
    return macro.kind === 'failed' ? broken(at) : { kind: 'call', at, name, target, args };
  }

  /** Neither an argument nor the end of them: drops one token if either follows it, else gives up. */
  #noArgument(): void {
    const expected = sortTokens([...EXPRESSION_START, ')']);
    if (!expected.includes(this.#ahead(1).kind)) this.#mismatch(expected);
    const token = this.#take();
    this.#syntax(token, `extraneous input '${token.text}' expecting ${describeTokens(expected)}`);
  }

  #primary(): Expr {
    const token = this.#current;
    switch (token.kind) {
      case '.':
      case IDENTIFIER:
        return this.#name();
      case '(': {
        this.#take();
        const expr = this.#expression();
        this.#expect(')', [')']);
        return expr;
      }
      case '[':
        return this.#list(this.#take());
      case '{':
        return this.#map(this.#take());
      default:
        return this.#literal();
    }
  }

  #name(): Expr {
    const dot = this.#accept('.');
    const name = this.#expect(IDENTIFIER, [IDENTIFIER]);
    const open = this.#accept('(');
    const text = dot === undefined ? name.text : `.${name.text}`;
    if (open !== undefined) return this.#call(open.at, text);
    if (RESERVED.has(name.text)) {
      this.#errors.add(name.at, `reserved identifier: ${name.text}`);
      return broken(name.at);
    }
    return { kind: 'ident', at: name.at, name: text };
  }

  #list(open: Token): Expr {
    const elements: Expr[] = [];
    const optional = new Set<number>();
    let more = this.#accept(',') === undefined;
    while (more && !this.#endsItems(']')) {
      const mark = this.#accept('?');
      if (mark !== undefined && this.#optional(mark) === undefined) optional.add(elements.length);
      elements.push(this.#expression());
      more = this.#accept(',') !== undefined;
    }
    this.#expect(']', [']']);
    return { kind: 'list', at: open.at, elements, optional };
  }

  #map(open: Token): Expr {
    const entries: MapEntry[] = [];
    let more = this.#accept(',') === undefined;
    while (more && !this.#endsItems('}')) {
      const mark = this.#accept('?');
      const optional = mark !== undefined && this.#optional(mark) === undefined;
      if (!this.#startsExpression()) this.#mismatch(sortTokens([...EXPRESSION_START, '?', '}', ',']));
      const key = this.#expression();
      const colon = this.#expect(':', [':']);
      entries.push({ at: colon.at, key, value: this.#expression(), optional });
      more = this.#accept(',') !== undefined;
    }
    this.#expect('}', ['}']);
    return { kind: 'map', at: open.at, entries };
  }

  /** Whether the items of a list, map or message end here; a comma that follows another is an error of the bracket's. */
  #endsItems(bracket: TokenKind): boolean {
    const { kind } = this.#current;
    return kind === bracket || (kind === ',' && this.#tokens[this.#position - 1]?.kind === ',');
  }

  #startsExpression(): boolean {
    return EXPRESSION_START.includes(this.#current.kind);
  }

  #struct(name: string, open: Token): Expr {
    const fields: StructField[] = [];
    let more = this.#accept(',') === undefined;
    while (more && !this.#endsItems('}')) {
      const mark = this.#accept('?');
      const optional = mark !== undefined && this.#optional(mark) === undefined;
      const name = this.#current.kind === ESC_IDENTIFIER ? this.#take().text.slice(1, -1) : this.#expect(IDENTIFIER, [IDENTIFIER]).text;
      const colon = this.#expect(':', [':']);
      fields.push({ at: colon.at, name, value: this.#expression(), optional });
      more = this.#accept(',') !== undefined;
    }
    this.#expect('}', ['}']);
    return { kind: 'struct', at: open.at, name, fields };
  }

  #literal(): Expr {
    const sign = this.#current.kind === '-' ? this.#take() : undefined;
    const token = this.#current;
    const at = (sign ?? token).at;
    const text = sign === undefined ? token.text : `-${token.text}`;
    const value = this.#literalValue(token, text, at);
    return value === undefined ? broken(at) : { kind: 'literal', at, value };
  }

  #literalValue(token: Token, text: string, at: number): Value | undefined {
    switch (token.kind) {
      case 'true':
      case 'false':
        return this.#take().kind === 'true';
      case 'null':
        this.#take();
        return null;
      case NUM_INT:
        this.#take();
        return readInt(text) ?? this.#bad(at, 'invalid int literal');
      case NUM_UINT:
        this.#take();
        return readUint(text) ?? this.#bad(at, 'invalid uint literal');
      case NUM_FLOAT:
        this.#take();
        return readDouble(text) ?? this.#bad(at, 'invalid double literal');
      case STRING:
      case BYTES: {
        this.#take();
        const read = readQuoted(text, token.kind === BYTES);
        return 'value' in read ? read.value : this.#bad(at, read.error);
      }
      default:
        return this.#noPrimary(token);
    }
  }

  /** No expression starts here: drops one token if an expression follows it, else gives up. */
  #noPrimary(token: Token): never | undefined {
    if (EXPRESSION_START.includes(this.#ahead(1).kind)) {
      this.#syntax(token, `extraneous input '${token.text}' expecting ${describeTokens(EXPRESSION_START)}`);
      this.#position++;
      this.#unary();
      return undefined;
    }
    return this.#mismatch(EXPRESSION_START);
  }

  #bad(at: number, message: string): undefined {
    this.#errors.add(at, message);
    return undefined;
  }
}

const CLOSING: ReadonlySet<TokenKind> = new Set([')', ']', '}']);

function call(at: number, name: string, args: readonly Expr[]): CallExpr {
  return { kind: 'call', at, name, args };
}

/** Stands for what was refused; an error is recorded, so nobody looks at it. */
function broken(at: number): Expr {
  return { kind: 'literal', at, value: null };
}

/** A balanced tree over the terms, so that long chains do not nest deeply (parser/helper.go, logicManager). */
function balanced(name: string, terms: readonly Expr[], places: readonly number[]): Expr {
  const build = (low: number, high: number): Expr => {
    const middle = (low + high + 1) >> 1;
    const left = middle === low ? terms[middle] : build(low, middle - 1);
    const right = middle === high ? terms[middle + 1] : build(middle + 1, high);
    return call(places[middle] ?? 0, name, left === undefined || right === undefined ? [] : [left, right]);
  };
  const [only] = terms;
  return terms.length === 1 && only !== undefined ? only : build(0, places.length - 1);
}

function sortTokens(kinds: readonly TokenKind[]): TokenKind[] {
  return kinds.toSorted((a, b) => TOKEN_ORDER.indexOf(a) - TOKEN_ORDER.indexOf(b));
}

function describeTokens(kinds: readonly TokenKind[]): string {
  const names = kinds.map((kind) => (/^[A-Z<]/.test(kind) && kind.length > 2 ? kind : `'${kind}'`));
  return names.length === 1 ? (names[0] ?? '') : `{${names.join(', ')}}`;
}
