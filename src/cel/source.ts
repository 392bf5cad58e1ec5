/** The text of an expression by code points, and the errors found in it, written as cel-go writes them. */

/** cel-go prints at most so many errors of one expression (common.Errors, maxErrorsToReport). */
const MAX_ERRORS_TO_REPORT = 100;

/** An expression's text, addressed by code point. */
export class Source {
  readonly text: string;
  #chars: readonly string[] | undefined;
  #lineStarts: readonly number[] | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** One entry per code point. */
  get chars(): readonly string[] {
    return (this.#chars ??= Array.from(this.text));
  }

  /** Where each line starts; only errors ask. */
  get lineStarts(): readonly number[] {
    return (this.#lineStarts ??= [0, ...this.chars.flatMap((char, i) => (char === '\n' ? [i + 1] : []))]);
  }

  /** Line (from 1) and column (from 0) of a code point offset; in an empty text there is no column. */
  location(at: number): { line: number; column: number } {
    if (this.text === '') return { line: 1, column: -1 };
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.lineStarts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - (this.lineStarts[low] ?? 0) };
  }

  /** The text of a line, counted from 1, without its line break. */
  line(line: number): string {
    const start = this.lineStarts[line - 1] ?? 0;
    const next = this.lineStarts[line];
    return this.chars.slice(start, next === undefined ? undefined : next - 1).join('');
  }

  /** The text between two code point offsets. */
  slice(from: number, to: number): string {
    return this.chars.slice(from, to).join('');
  }
}

interface Found {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Collects the errors of one expression. */
export class ErrorList {
  readonly #found: Found[] = [];

  readonly source: Source;

  constructor(source: Source) {
    this.source = source;
  }

  /** How many errors were found. */
  get size(): number {
    return this.#found.length;
  }

  /** Records an error at a code point offset. */
  add(at: number, message: string): void {
    this.#found.push({ ...this.source.location(at), message });
  }

  /** Records an error that belongs to no place (line -1, column 0 and no source line, as cel-go prints it). */
  addUnplaced(message: string): void {
    this.#found.push({ line: -1, column: -1, message });
  }

  /** All errors, ordered by place, each with source line and caret. */
  toString(): string {
    const ordered = this.#found.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const shown = ordered.slice(0, MAX_ERRORS_TO_REPORT).map((found) => this.#display(found));
    if (ordered.length > MAX_ERRORS_TO_REPORT) shown.push(`${ordered.length - MAX_ERRORS_TO_REPORT} more errors were truncated`);
    return shown.join('\n');
  }

  #display(found: Found): string {
    const head = `ERROR: <input>:${found.line}:${found.column + 1}: ${found.message}`;
    if (found.line < 1 || found.column < 0) return head;
    const text = this.source.line(found.line).replaceAll('\t', ' ');
    return `${head}\n | ${text}\n | ${caretUnder(Array.from(text), found.column)}`;
  }
}

/** Dots under what stands before the column and a caret under it; wide characters get wide ones (common/error.go). */
function caretUnder(chars: readonly string[], column: number): string {
  let under = '';
  for (let i = 0; i < column; i++) under += isWide(chars[i]) ? '．' : '.';
  return under + (isWide(chars[column]) ? '＾' : '^');
}

function isWide(char: string | undefined): boolean {
  return char !== undefined && (char.codePointAt(0) ?? 0) > 0x7f;
}
