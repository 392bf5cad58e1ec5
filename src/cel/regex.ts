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
    return new CelError(message.replace(/^error parsing regexp: (.*?): `([\s\S]*)`$/, 'error parsing regexp: $1: `$2`'));
  }
}

/** Whether the pattern is found anywhere in the text. */
export function matches(text: string, pattern: string): boolean | CelError {
  const compiled = compileRegex(pattern);
  return compiled instanceof CelError ? compiled : compiled.test(text);
}
