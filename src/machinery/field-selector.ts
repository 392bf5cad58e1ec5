/** Field selectors: `metadata.name=x,spec.nodeName!=` (apimachinery fields.ParseSelector). */
import { badRequest } from './status.ts';

/** One comparison of a field selector. */
export interface FieldRequirement {
  readonly field: string;
  readonly op: '=' | '!=';
  readonly value: string;
}

const TERM = /^(.*?)(!=|==|=)(.*)$/s;

/** The comparisons of a field selector, all of which must hold; throws ApiError 400 with upstream's text. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).sort()) {
    if (term === '') continue;
    const [, field, operator, value] = TERM.exec(term) ?? [];
    if (field === undefined || value === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    // A comparison of nothing with nothing says nothing (fields.Selector: Transform).
    if (field !== '' || value !== '') requirements.push({ field, op: operator === '!=' ? '!=' : '=', value: unescapeFieldValue(value) });
  }
  return requirements;
}

/** Whether the fields, as `valueOf` gives them ("" for one that is unset), meet all comparisons. */
export function matchesFieldRequirements(requirements: readonly FieldRequirement[], valueOf: (field: string) => string): boolean {
  return requirements.every(({ field, op, value }) => (valueOf(field) === value) === (op === '='));
}

/** The canonical text of a field selector. */
export function fieldSelectorText(requirements: readonly FieldRequirement[]): string {
  return requirements.map(({ field, op, value }) => `${field}${op}${escapeFieldValue(value)}`).join(',');
}

/** `value` with backslash, comma and equals sign escaped, for use in a selector. */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, '\\$&');
}

/** Splits at commas that no backslash precedes. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescapeFieldValue(text: string): string {
  let value = '';
  let escaped = false;
  for (const character of text) {
    const special = character === '\\' || character === ',' || character === '=';
    if (escaped) {
      if (!special) throw badRequest(`invalid field selector: invalid escape sequence: \\${character}`);
      value += character;
      escaped = false;
    } else if (character === '\\') escaped = true;
    else if (special) throw badRequest(`invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`);
    else value += character;
  }
  if (escaped) throw badRequest('invalid field selector: invalid escape sequence: \\');
  return value;
}
