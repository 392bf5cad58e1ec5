/** Regular expressions with RE2's grammar in linear time, compiled once per pattern. */
import { RE2JS } from 're2js';
import { simplePattern } from './simple-patterns.ts';
import { CelError } from './values.ts';

/** Patterns kept; more than any cluster's selectors hold. */
const MAX_KEPT_PATTERNS = 512;

/** A pattern that RE2 accepts. */
export interface Pattern {
  /** Whether it is found anywhere in the text. */
  readonly test: (text: string) => boolean;
  /** What it finds in the text, at most `limit` times; an empty find right behind another one does not count. */
  readonly findAll: (text: string, limit: number) => string[];
}

const kept = new Map<string, Pattern | CelError>();

/** The pattern ready for use, or the error that Go's regexp gives for it. */
export function compileRegex(pattern: string): Pattern | CelError {
  const known = kept.get(pattern);
  if (known !== undefined) return known;
  const compiled = compilePattern(pattern);
  if (kept.size >= MAX_KEPT_PATTERNS) kept.clear();
  kept.set(pattern, compiled);
  return compiled;
}

function compilePattern(pattern: string): Pattern | CelError {
  const simple = simplePattern(pattern);
  if (simple !== undefined) return { test: (text) => simple.test(text), findAll: (text, limit) => findAll(text, RE2JS.compile(pattern), limit) };
  try {
    const regex = RE2JS.compile(pattern);
    return { test: (text) => regex.test(text), findAll: (text, limit) => findAll(text, regex, limit) };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new CelError(message.endsWith('trailing backslash at end of expression') ? `${message}: \`\`` : message);
  }
}

function findAll(text: string, regex: RE2JS, limit: number): string[] {
  const found: string[] = [];
  const matcher = regex.matcher(text);
  let end = -1;
  while (found.length < limit && matcher.find()) {
    const isEmpty = matcher.start() === matcher.end();
    if (!isEmpty || matcher.start() !== end) found.push(matcher.group() ?? '');
    end = matcher.end();
  }
  return found;
}
