/** Regular expressions with RE2's grammar in linear time, compiled once per pattern. */
import { RE2JS } from 're2js';
import { CelError } from './values.ts';

/** Patterns kept; more than any cluster's selectors hold. */
const MAX_KEPT_PATTERNS = 512;

const kept = new Map<string, RE2JS | CelError>();

/** The pattern ready for use, or the error that Go's regexp gives for it. */
export function compileRegex(pattern: string): RE2JS | CelError {
  const known = kept.get(pattern);
  if (known !== undefined) return known;
  const compiled = compilePattern(pattern);
  if (kept.size >= MAX_KEPT_PATTERNS) kept.clear();
  kept.set(pattern, compiled);
  return compiled;
}

function compilePattern(pattern: string): RE2JS | CelError {
  try {
    return RE2JS.compile(pattern);
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new CelError(message.endsWith('trailing backslash at end of expression') ? `${message}: \`\`` : message);
  }
}

/** Whether the pattern is found anywhere in the text. */
export function matches(text: string, pattern: string): boolean | CelError {
  const compiled = compileRegex(pattern);
  return compiled instanceof CelError ? compiled : compiled.test(text);
}

/** What the pattern finds in the text, at most `limit` times; an empty find right behind another one does not count. */
export function findAll(text: string, regex: RE2JS, limit: number): string[] {
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
