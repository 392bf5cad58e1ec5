/** What names, label keys and label values may look like, with upstream's texts (apimachinery api/validate/content). */

const DNS1123_LABEL_FMT = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS1123_SUBDOMAIN_FMT = `${DNS1123_LABEL_FMT}(\\.${DNS1123_LABEL_FMT})*`;
const QUALIFIED_NAME_FMT = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE_FMT = `(${QUALIFIED_NAME_FMT})?`;

const DNS1123_SUBDOMAIN = new RegExp(`^${DNS1123_SUBDOMAIN_FMT}$`);
const QUALIFIED_NAME = new RegExp(`^${QUALIFIED_NAME_FMT}$`);
const LABEL_VALUE = new RegExp(`^${LABEL_VALUE_FMT}$`);

/** Longest DNS subdomain in bytes (content.DNS1123SubdomainMaxLength). */
export const DNS1123_SUBDOMAIN_MAX_LENGTH = 253;
/** Longest name part of a qualified name in bytes (content.QualifiedNameMaxLength). */
export const QUALIFIED_NAME_MAX_LENGTH = 63;
/** Longest label value in bytes (content.LabelValueMaxLength). */
export const LABEL_VALUE_MAX_LENGTH = 63;

const NAME_RULE = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const NAME_PROBLEM = regexProblem(NAME_RULE, QUALIFIED_NAME_FMT, ['MyName', 'my.name', '123-abc']);
const LABEL_VALUE_PROBLEM = regexProblem(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  LABEL_VALUE_FMT,
  ['MyValue', 'my_value', '12345'],
);
const DNS1123_SUBDOMAIN_PROBLEM = regexProblem(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  DNS1123_SUBDOMAIN_FMT,
  ['example.com'],
);

/** The rule, its examples and its regular expression in one sentence, as upstream's RegexError. */
export function regexProblem(rule: string, format: string, examples: readonly string[]): string {
  const quoted = examples.map((example) => `'${example}', `).join(' or ');
  return `${rule} (e.g. ${quoted}regex used for validation is '${format}')`;
}

/** Bytes of `text` in UTF-8: upstream's limits count bytes. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // A surrogate pair is two units and four bytes, any other unit beyond 0x7ff three, beyond 0x7f two.
    if (unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff)) bytes += 2;
    else if (unit > 0x7f) bytes += 1;
  }
  return bytes;
}

function lengthProblem(max: number): string {
  return `must be no more than ${max} bytes`;
}

/** What keeps `value` from being a DNS subdomain; empty when nothing does. */
export function dns1123SubdomainProblems(value: string): string[] {
  const problems: string[] = [];
  if (byteLength(value) > DNS1123_SUBDOMAIN_MAX_LENGTH) problems.push(lengthProblem(DNS1123_SUBDOMAIN_MAX_LENGTH));
  if (!DNS1123_SUBDOMAIN.test(value)) problems.push(DNS1123_SUBDOMAIN_PROBLEM);
  return problems;
}

/** What keeps `key` from being a label key (a name with an optional DNS subdomain and slash before it). */
export function labelKeyProblems(key: string): string[] {
  return qualifiedNameProblems(key, 'a valid label key');
}

/** Like labelKeyProblems; `what` begins the sentence about too many slashes. */
export function qualifiedNameProblems(value: string, what = 'a qualified name'): string[] {
  const parts = value.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2) {
    const rule = regexProblem(`${what} ${NAME_RULE}`, QUALIFIED_NAME_FMT, ['MyName', 'my.name', '123-abc']);
    return [`${rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (second === undefined) return namePartProblems(first);
  const prefix = first === '' ? ['prefix part must be non-empty'] : dns1123SubdomainProblems(first).map((problem) => `prefix part ${problem}`);
  return [...prefix, ...namePartProblems(second)];
}

function namePartProblems(name: string): string[] {
  const problems: string[] = [];
  if (name === '') problems.push('name part must be non-empty');
  else if (byteLength(name) > QUALIFIED_NAME_MAX_LENGTH) problems.push(`name part ${lengthProblem(QUALIFIED_NAME_MAX_LENGTH)}`);
  if (!QUALIFIED_NAME.test(name)) problems.push(`name part ${NAME_PROBLEM}`);
  return problems;
}

/** What keeps `value` from being a label value. */
export function labelValueProblems(value: string): string[] {
  const problems: string[] = [];
  if (byteLength(value) > LABEL_VALUE_MAX_LENGTH) problems.push(lengthProblem(LABEL_VALUE_MAX_LENGTH));
  if (!LABEL_VALUE.test(value)) problems.push(LABEL_VALUE_PROBLEM);
  return problems;
}
