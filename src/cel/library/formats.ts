/** Named formats of text (apiserver pkg/cel/library/format.go). */
import { dnsLabelProblems, dnsSubdomainProblems, labelKeyProblems, labelValueProblems } from '#api';
import { declare, type FunctionDeclaration, global, type Kind, member, str } from '../declarations.ts';
import { parseTimestamp } from '../time.ts';
import * as t from '../types.ts';
import { type CelError, NONE, noSuchOverload, OpaqueValue, Optional, Panic, type Value } from '../values.ts';
import { urlProblem } from './urls.ts';

/** Tells what is wrong with a text. */
type Problems = (text: string) => readonly string[];

/** A format as a value. */
export class FormatValue extends OpaqueValue {
  readonly typeName = t.FORMAT.name;
  readonly goTypeName = 'cel.Format';
  readonly goNativeName = 'cel.Format';
  readonly name: string;
  readonly problems: Problems;
  /** Length of the pattern that upstream counts validation by. */
  override readonly patternSize: number;

  constructor(name: string, patternSize: number, problems: Problems) {
    super();
    this.name = name;
    this.patternSize = patternSize;
    this.problems = problems;
  }

  /** Upstream's formats hold a function, so Go cannot hash them. */
  override get key(): never {
    throw new Panic('runtime error: hash of unhashable type cel.Format');
  }

  override toString(): string {
    return `{${this.name}}`;
  }

  equals(other: Value): boolean | CelError {
    return other instanceof FormatValue ? other.name === this.name : noSuchOverload();
  }
}

const DNS_1035_LABEL_MAX_LENGTH = 63;
const DNS_1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const DNS_1035_TEXT = `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${DNS_1035_LABEL}')`;

function dns1035Problems(text: string): readonly string[] {
  const problems = text.length > DNS_1035_LABEL_MAX_LENGTH ? [`must be no more than ${DNS_1035_LABEL_MAX_LENGTH} characters`] : [];
  return new RegExp(`^${DNS_1035_LABEL}$`).test(text) ? problems : [...problems, DNS_1035_TEXT];
}

/** Names to which something will be added may end in a dash (apimachinery api/validation, maskTrailingDash). */
function asPrefix(problems: Problems): Problems {
  return (text) => problems(text.length > 1 && text.endsWith('-') ? `${text.slice(0, -2)}a` : text);
}

/** A format with one test and one text. */
function tested(message: string, test: (text: string) => boolean): Problems {
  return (text) => (test(text) ? [] : [message]);
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;
const TIME_OF_DAY = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/;

function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && 'nanos' in Object(parseTimestamp(`${text}T00:00:00Z`));
}

function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t');
  if (time === undefined || !isDate(date)) return false;
  const [, hours = '', minutes = '', seconds = ''] = TIME_OF_DAY.exec(time) ?? [];
  return hours !== '' && hours <= '23' && minutes <= '59' && seconds <= '59';
}

function uriProblems(text: string): readonly string[] {
  const problem = urlProblem(text);
  return problem === undefined ? [] : [problem];
}

/** The formats by the name they are asked for; the sizes are upstream's. */
const FORMATS_BY_NAME: ReadonlyMap<string, FormatValue> = new Map([
  ['dns1123Label', new FormatValue('DNS1123Label', 30, dnsLabelProblems)],
  ['dns1123Subdomain', new FormatValue('DNS1123Subdomain', 60, dnsSubdomainProblems)],
  ['dns1035Label', new FormatValue('DNS1035Label', 30, dns1035Problems)],
  ['qualifiedName', new FormatValue('QualifiedName', 60, labelKeyProblems)],
  ['dns1123LabelPrefix', new FormatValue('DNS1123LabelPrefix', 30, asPrefix(dnsLabelProblems))],
  ['dns1123SubdomainPrefix', new FormatValue('DNS1123SubdomainPrefix', 60, asPrefix(dnsSubdomainProblems))],
  ['dns1035LabelPrefix', new FormatValue('DNS1035LabelPrefix', 30, asPrefix(dns1035Problems))],
  ['labelValue', new FormatValue('LabelValue', 40, labelValueProblems)],
  ['uri', new FormatValue('URI', 1103, uriProblems)],
  [
    'uuid',
    new FormatValue(
      'uuid',
      71,
      tested('does not match the UUID format', (text) => UUID.test(text)),
    ),
  ],
  [
    'byte',
    new FormatValue(
      'byte',
      84,
      tested('invalid base64', (text) => BASE64.test(text)),
    ),
  ],
  ['date', new FormatValue('date', 71, tested('invalid date', isDate))],
  ['datetime', new FormatValue('datetime', 71, tested('invalid datetime', isDateTime))],
]);

const format: Kind<FormatValue> = { type: t.FORMAT, is: (value) => value instanceof FormatValue };

/** `format.named`, one function per format, and `validate`. */
export const FORMATS: readonly FunctionDeclaration[] = [
  declare(
    'format.named',
    global('format-named', [str], t.optionalOf(t.FORMAT), (name) => {
      const known = FORMATS_BY_NAME.get(name);
      return known === undefined ? NONE : new Optional(known);
    }),
  ),
  ...Array.from(FORMATS_BY_NAME, ([name, value]) =>
    declare(
      `format.${name}`,
      global(`format.${name}`, [], t.FORMAT, () => value),
    ),
  ),
  declare(
    'validate',
    member('format-validate', [format, str], t.optionalOf(t.listOf(t.STRING)), (named, text) => {
      const problems = named.problems(text);
      return problems.length === 0 ? NONE : new Optional(problems);
    }),
  ),
];
