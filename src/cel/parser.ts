/** Parses an expression: recursive descent over the grammar of cel-go, with its error texts and depth limit. */
import { balanced, call, type Expr, type MapEntry, qualifiedName, type StructField } from './ast.ts';
import { describeTokens, EXPRESSION_START, sortTokens } from './expected-tokens.ts';
import { BYTES, EOF, ESC_IDENTIFIER, IDENTIFIER, NUM_FLOAT, NUM_INT, NUM_UINT, STRING, type Token, type TokenKind, tokenize } from './lexer.ts';
import { readDouble, readInt, readQuoted, readUint } from './literals.ts';
import { expandMacro, type MacroSet } from './macros.ts';
import type { ErrorList, Source } from './source.ts';
import type { Value } from './values.ts';

/** Nesting that cel-go's parser allows (parser options, maxRecursionDepth). */
const MAX_RECURSION_DEPTH = 250;

/** Words that are kept for later languages and are no names (parser.go, reservedIds). */
const RESERVED = new Set('as break const continue else false for function if import in let loop package namespace null return true var void while'.split(' '));

const CONSTANTS: ReadonlySet<TokenKind> = new Set(['true', 'false', 'null']);

const RELATIONS: ReadonlySet<TokenKind> = new Set(['<', '<=', '>=', '>', '==', '!=', 'in']);

/** Times that cel-go's parser tries to go on after an error (parser options, errorRecoveryLimit). */
const ERROR_RECOVERY_LIMIT = 30;

/** What goes on with an expression that has ended, besides an access to its parts. */
const OPERATORS: ReadonlySet<TokenKind> = new Set(['&&', '||', '?', '+', '-', '*', '/', '%', ...RELATIONS]);
const ACCESSES: readonly TokenKind[] = ['.', '['];

/** What an element, an entry or an index may begin with, and what a field of a message may. */
const ITEM_START: readonly TokenKind[] = [...EXPRESSION_START, '?'];
const FIELD_START: readonly TokenKind[] = ['?', IDENTIFIER, ESC_IDENTIFIER];

/** Thrown to leave a rule of the grammar after an error was recorded; a rule around it may go on behind the part. */
class Abandoned extends Error {}

/** Thrown when nothing is to be read any further. */
class Halted extends Error {}

/** The tree of the source, or undefined after recording errors. */
export function parse(source: Source, macros: MacroSet, errors: ErrorList): Expr | undefined {
  const parser = new Parser(tokenize(source, errors), macros, errors);
  try {
    const expr = parser.start();
    return errors.size === 0 ? expr : undefined;
  } catch (thrown) {
    if (thrown instanceof Abandoned || thrown instanceof Halted) return undefined;
    throw thrown;
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #macros: MacroSet;
  readonly #errors: ErrorList;
  #position = 0;
  /** Expressions inside one another. */
  #nesting = 0;
  /** Nodes above one another. */
  #depth = 0;
  /** What may follow the innermost expression, for each construct around it. */
  readonly #followers: (readonly TokenKind[])[] = [[EOF]];
  /** Until the next token that fits, further errors are consequences of the last one. */
  #recovering = false;
  #recoveries = 0;

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
    this.#recovering = false;
    return token;
  }

  #accept(kind: TokenKind): Token | undefined {
    return this.#current.kind === kind ? this.#take() : undefined;
  }

  /** Takes the token, or mends the input by one token as the generated parser does, or gives up. */
  #expect(kind: TokenKind, expected: readonly TokenKind[]): Token {
    const token = this.#current;
    if (token.kind === kind) return this.#take();
    this.#countRecovery();
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
    return OPERATORS.has(kind) || ACCESSES.includes(kind) || this.#followers.at(-1)?.includes(kind) === true;
  }

  #mismatch(expected: readonly TokenKind[]): never {
    const token = this.#current;
    this.#syntax(token, `mismatched input '${token.text}' expecting ${describeTokens(expected)}`);
    throw new Abandoned();
  }

  #syntax(token: Token, message: string): void {
    if (this.#recovering) return;
    this.#recovering = true;
    this.#errors.add(token.at, `Syntax error: ${message}`);
  }

  #countRecovery(): void {
    if (this.#recoveries++ < ERROR_RECOVERY_LIMIT) return;
    this.#errors.add(this.#current.at, `Syntax error: error recovery attempt limit exceeded: ${ERROR_RECOVERY_LIMIT}`);
    throw new Halted();
  }

  /** Parses a part of an expression. When that is abandoned, it skips to what may follow the part or any construct around it; `instead` stands for the part then. */
  #recoverably(parsePart: () => Expr, followers: readonly TokenKind[], instead?: Expr): Expr {
    const [constructs, nesting, depth] = [this.#followers.length, this.#nesting, this.#depth];
    try {
      return parsePart();
    } catch (thrown) {
      if (!(thrown instanceof Abandoned)) throw thrown;
      this.#countRecovery();
      this.#followers.length = constructs;
      this.#nesting = nesting;
      this.#depth = depth;
      const possible = new Set([...followers, ...OPERATORS, ...this.#followers.flat(), EOF]);
      while (!possible.has(this.#current.kind)) this.#position++;
      return instead ?? broken(this.#current.at);
    }
  }

  #enter(): void {
    if (++this.#depth <= MAX_RECURSION_DEPTH) return;
    this.#errors.addUnplaced('max recursion depth exceeded');
    throw new Halted();
  }

  #expression(): Expr {
    if (++this.#nesting > MAX_RECURSION_DEPTH) {
      this.#errors.addUnplaced(`expression recursion limit exceeded: ${MAX_RECURSION_DEPTH}`);
      throw new Halted();
    }
    this.#enter();
    const condition = this.#logical('||');
    const question = this.#accept('?');
    let expr = condition;
    if (question !== undefined) {
      const truthy = this.#before([':'], () => this.#logical('||'));
      this.#expect(':', [':']);
      expr = call(question.at, '_?_:_', [condition, truthy, this.#expression()]);
    }
    this.#depth--;
    this.#nesting--;
    return expr;
  }

  /** Parses something that the construct around it goes on after with one of the tokens. */
  #before<T>(followers: readonly TokenKind[], parsePart: () => T): T {
    this.#followers.push(followers);
    const part = parsePart();
    this.#followers.pop();
    return part;
  }

  /** An expression in brackets, before one of the tokens. */
  #inner(...followers: readonly TokenKind[]): Expr {
    return this.#before(followers, () => this.#expression());
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
    if (!EXPRESSION_START.includes(this.#current.kind)) return this.#noOperand(first);
    const operand = this.#recoverably(() => this.#operand(first), []);
    return count % 2 === 0 ? operand : call(first.at, `${first.kind}_`, [operand]);
  }

  /** What follows `!` or `-`: no other of these operators, a negative number at most. */
  #operand({ kind }: Token): Expr {
    const next = this.#ahead(1);
    const isNegative = this.#current.kind === '-' && (next.kind === NUM_INT || next.kind === NUM_FLOAT);
    const isOperator = this.#current.kind === '-' || this.#current.kind === '!';
    if (!isOperator || isNegative || next.kind === EOF) return this.#member();
    if (kind === '-') this.#position--;
    const [operator, token] = [this.#current, this.#ahead(1)];
    this.#syntax(token, `no viable alternative at input '${this.#errors.source.slice(operator.at, token.at)}${token.text}'`);
    throw new Abandoned();
  }

  /** Nothing follows `!` or `-`. The last `-` is then read again, as the operator that upstream takes it for. */
  #noOperand({ kind, at }: Token): Expr {
    const token = this.#current;
    if (kind === '!') this.#syntax(token, `extraneous input '${token.text}' expecting ${describeTokens(EXPRESSION_START)}`);
    else {
      this.#position--;
      const input = this.#errors.source.slice(this.#current.at, token.at);
      this.#syntax(token, `no viable alternative at input '${input}${token.kind === EOF ? '' : token.text}'`);
    }
    return broken(at);
  }

  #member(): Expr {
    let expr = this.#recoverably(() => this.#primary(), ACCESSES);
    let chain = 0;
    for (;;) {
      const token = this.#current;
      const operand = expr;
      if (token.kind === '.') expr = this.#recoverably(() => this.#field(operand, this.#take()), [], operand);
      else if (token.kind === '[') expr = this.#recoverably(() => this.#index(operand, this.#take()), []);
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
    if (optional === undefined) this.#startOf(ITEM_START);
    const index = this.#inner(']');
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
    this.#startOf([...EXPRESSION_START, ')']);
    if (this.#current.kind !== ')') {
      do args.push(this.#inner(')', ','));
      while (this.#accept(',') !== undefined);
    }
    this.#expect(')', [')']);
    const macro = expandMacro({ at, name, target, args }, this.#macros, this.#errors);
    if (macro.kind === 'expanded') return macro.expr;
    return macro.kind === 'failed' ? broken(at) : { kind: 'call', at, name, target, args };
  }

  #primary(): Expr {
    const token = this.#current;
    switch (token.kind) {
      case '.':
      case IDENTIFIER:
        return this.#name();
      case '(': {
        this.#take();
        const expr = this.#inner(')');
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
    if (dot !== undefined && this.#current.kind !== IDENTIFIER) this.#noField(dot, undefined);
    const name = this.#take();
    const open = this.#accept('(');
    const text = dot === undefined ? name.text : `.${name.text}`;
    const expr: Expr = open === undefined ? { kind: 'ident', at: name.at, name: text } : this.#call(open.at, text);
    if (!RESERVED.has(name.text)) return expr;
    this.#errors.add(name.at, `reserved identifier: ${name.text}`);
    return broken(name.at);
  }

  #list(open: Token): Expr {
    const elements: Expr[] = [];
    const optional = new Set<number>();
    this.#startOf([...ITEM_START, ']', ',']);
    let more = this.#accept(',') === undefined;
    while (more && ITEM_START.includes(this.#current.kind)) {
      const mark = this.#accept('?');
      if (mark !== undefined && this.#optional(mark) === undefined) optional.add(elements.length);
      elements.push(this.#inner(']', ','));
      more = this.#accept(',') !== undefined;
    }
    this.#endOf(']');
    return { kind: 'list', at: open.at, elements, optional };
  }

  #map(open: Token): Expr {
    const entries: MapEntry[] = [];
    this.#startOf([...ITEM_START, '}', ',']);
    let more = this.#accept(',') === undefined;
    while (more && ITEM_START.includes(this.#current.kind)) {
      const mark = this.#accept('?');
      const optional = mark !== undefined && this.#optional(mark) === undefined;
      const key = this.#inner(':');
      const colon = this.#expect(':', [':']);
      entries.push({ at: colon.at, key, value: this.#inner('}', ','), optional });
      more = this.#accept(',') !== undefined;
    }
    this.#endOf('}');
    return { kind: 'map', at: open.at, entries };
  }

  /** Where one of the tokens has to come: drops one token if one of them follows it, else gives up. */
  #startOf(expected: readonly TokenKind[]): void {
    const token = this.#current;
    if (expected.includes(token.kind)) return;
    const sorted = sortTokens(expected);
    if (!expected.includes(this.#ahead(1).kind)) this.#mismatch(sorted);
    this.#take();
    this.#syntax(token, `extraneous input '${token.text}' expecting ${describeTokens(sorted)}`);
  }

  /** Takes the bracket after items; after the last one there may be a comma. */
  #endOf(bracket: TokenKind): void {
    if (this.#tokens[this.#position - 1]?.kind !== ',') {
      this.#startOf([bracket, ',']);
      this.#accept(',');
    }
    this.#expect(bracket, [bracket]);
  }

  #struct(name: string, open: Token): Expr {
    const fields: StructField[] = [];
    this.#startOf([...FIELD_START, '}', ',']);
    let more = this.#accept(',') === undefined;
    while (more && FIELD_START.includes(this.#current.kind)) {
      const mark = this.#accept('?');
      const optional = mark !== undefined && this.#optional(mark) === undefined;
      const name = this.#current.kind === ESC_IDENTIFIER ? this.#take().text.slice(1, -1) : this.#expect(IDENTIFIER, [IDENTIFIER]).text;
      const colon = this.#expect(':', [':']);
      fields.push({ at: colon.at, name, value: this.#inner('}', ','), optional });
      more = this.#accept(',') !== undefined;
    }
    this.#endOf('}');
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

/** Stands for what was refused; an error is recorded, so nobody looks at it. */
function broken(at: number): Expr {
  return { kind: 'literal', at, value: null };
}
