/** The name rules of Kubernetes (apimachinery util/validation): each returns its problems as upstream words them. */
import { byteLength } from './report.ts';

const LABEL_FORMAT = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN_FORMAT = `${LABEL_FORMAT}(\\.${LABEL_FORMAT})*`;
const QUALIFIED_FORMAT = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE_FORMAT = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';
const C_IDENTIFIER_FORMAT = '[A-Za-z_][A-Za-z0-9_]*';

const LABEL = new RegExp(`^${LABEL_FORMAT}$`);
const SUBDOMAIN = new RegExp(`^${SUBDOMAIN_FORMAT}$`);
const QUALIFIED = new RegExp(`^${QUALIFIED_FORMAT}$`);
const QUALIFIED_WITH_PREFIX = new RegExp(`^(${SUBDOMAIN_FORMAT}/)?${QUALIFIED_FORMAT}$`);
const LABEL_VALUE = new RegExp(`^${LABEL_VALUE_FORMAT}$`);
const C_IDENTIFIER = new RegExp(`^${C_IDENTIFIER_FORMAT}$`);

/** apimachinery DNS1123LabelMaxLength. */
export const DNS_LABEL_MAX_LENGTH = 63;
/** apimachinery DNS1123SubdomainMaxLength. */
export const DNS_SUBDOMAIN_MAX_LENGTH = 253;

const LABEL_TEXT = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL_FORMAT}')`;
const SUBDOMAIN_TEXT = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN_FORMAT}')`;
const QUALIFIED_TEXT = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED_FORMAT}')`;
const LABEL_VALUE_TEXT = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${LABEL_VALUE_FORMAT}')`;
const C_IDENTIFIER_TEXT = `a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '${C_IDENTIFIER_FORMAT}')`;

/** Problems of a DNS label. Upstream counts its length in characters, or in bytes where newer code checks it. */
export function dnsLabelProblems(text: string, unit: 'characters' | 'bytes' = 'characters'): readonly string[] {
  const problems: string[] = [];
  if (text.length > DNS_LABEL_MAX_LENGTH) problems.push(`must be no more than ${DNS_LABEL_MAX_LENGTH} ${unit}`);
  if (!LABEL.test(text)) problems.push(SUBDOMAIN.test(text) ? 'must not contain dots' : LABEL_TEXT);
  return problems;
}

/** Problems of a DNS subdomain. Upstream counts its length in characters, or in bytes where newer code checks it. */
export function dnsSubdomainProblems(text: string, unit: 'characters' | 'bytes' = 'characters'): readonly string[] {
  const problems: string[] = [];
  if (text.length > DNS_SUBDOMAIN_MAX_LENGTH) problems.push(`must be no more than ${DNS_SUBDOMAIN_MAX_LENGTH} ${unit}`);
  if (!SUBDOMAIN.test(text)) problems.push(SUBDOMAIN_TEXT);
  return problems;
}

const CASELESS_TEXT = `an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'Example.com', regex used for validation is '${SUBDOMAIN_FORMAT}')`;

/** Problems of a DNS subdomain in any case (apimachinery IsDNS1123SubdomainCaseless). */
export function caselessSubdomainProblems(text: string, unit: 'characters' | 'bytes' = 'characters'): readonly string[] {
  return dnsSubdomainProblems(text.toLowerCase(), unit).map((problem) => (problem === SUBDOMAIN_TEXT ? CASELESS_TEXT : problem));
}

/** Problems of a label key: `name` or `prefix/name`. */
export function labelKeyProblems(text: string): readonly string[] {
  // Nearly all keys are as short as their last part may be.
  if (text.length <= DNS_LABEL_MAX_LENGTH && QUALIFIED_WITH_PREFIX.test(text)) return [];
  const parts = text.split('/');
  if (parts.length > 2) return [`a valid label key ${QUALIFIED_TEXT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const name = parts.at(-1) ?? '';
  const problems = parts.length === 2 ? prefixProblems(parts[0] ?? '') : [];
  if (name === '') problems.push('name part must be non-empty');
  else if (byteLength(name) > DNS_LABEL_MAX_LENGTH) problems.push(`name part must be no more than ${DNS_LABEL_MAX_LENGTH} bytes`);
  if (!QUALIFIED.test(name)) problems.push(`name part ${QUALIFIED_TEXT}`);
  return problems;
}

function prefixProblems(prefix: string): string[] {
  return prefix === '' ? ['prefix part must be non-empty'] : dnsSubdomainProblems(prefix, 'bytes').map((problem) => `prefix part ${problem}`);
}

/** Problems of a label value. */
export function labelValueProblems(text: string): readonly string[] {
  const problems: string[] = [];
  if (byteLength(text) > DNS_LABEL_MAX_LENGTH) problems.push(`must be no more than ${DNS_LABEL_MAX_LENGTH} bytes`);
  if (!LABEL_VALUE.test(text)) problems.push(LABEL_VALUE_TEXT);
  return problems;
}

/** Problems of a C identifier. */
export function cIdentifierProblems(text: string): readonly string[] {
  return C_IDENTIFIER.test(text) ? [] : [C_IDENTIFIER_TEXT];
}
