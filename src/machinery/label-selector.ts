/** Label selectors: the query text of lists and watches, and the LabelSelector object of the API. */
import { fieldErrorsText } from './field-error.ts';
import { goQuote } from './go-text.ts';
import { scanLabelSelector, type LabelToken } from './label-tokens.ts';
import type { LabelSelector } from './meta.ts';
import { keyErrors, type Labels, meets, type Requirement, type RequirementOperator, requirementErrors, requirementText } from './requirement.ts';
import { badRequest } from './status.ts';

const BINARY_OPERATORS: ReadonlyMap<string, RequirementOperator> = new Map([
  ['in', 'in'],
  ['notin', 'notin'],
  ['=', '='],
  ['==', '=='],
  ['!=', '!='],
  ['>', 'gt'],
  ['<', 'lt'],
]);
const OBJECT_OPERATORS: ReadonlyMap<string, RequirementOperator> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
]);

/** Parses a selector's text such as `app=web,tier notin (a,b)`; throws ApiError 400 with upstream's text. */
export function parseLabelSelector(text: string): (labels: Labels | undefined) => boolean {
  return matcher(parseLabelRequirements(text));
}

/** The requirements of a selector's text, in the order of their keys; throws ApiError 400. */
export function parseLabelRequirements(text: string): readonly Requirement[] {
  return byKey(new Parser(scanLabelSelector(text)).parse());
}

/** The requirements of a LabelSelector, in the order of their keys; throws ApiError 400. An empty one has none. */
export function labelSelectorRequirements(selector: LabelSelector): readonly Requirement[] {
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    requirements.push(checked({ key, operator: '=', values: [value] }));
  }
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = OBJECT_OPERATORS.get(operator);
    if (known === undefined) throw badRequest(`${goQuote(operator)} is not a valid label selector operator`);
    requirements.push(checked({ key, operator: known, values: values ?? [] }, true));
  }
  return byKey(requirements);
}

/** The canonical text of requirements. */
export function labelSelectorText(requirements: readonly Requirement[]): string {
  return requirements.map(requirementText).join(',');
}

const compiled = new WeakMap<LabelSelector, (labels: Labels | undefined) => boolean>();

/** Whether `labels` match; an empty selector matches everything, an absent one nothing. Throws ApiError 400 when it is invalid. */
export function matchesLabelSelector(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  if (selector === undefined) return false;
  let matches = compiled.get(selector);
  if (matches === undefined) {
    matches = matcher(labelSelectorRequirements(selector));
    compiled.set(selector, matches);
  }
  return matches(labels);
}

function matcher(requirements: readonly Requirement[]): (labels: Labels | undefined) => boolean {
  return (labels = {}) => requirements.every((requirement) => meets(requirement, labels));
}

function byKey(requirements: readonly Requirement[]): Requirement[] {
  return requirements.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** The requirement if it is valid. Of an object an empty list of values is upstream's nil and prints as null. */
function checked(requirement: Requirement, emptyIsNil = false, prefix = ''): Requirement {
  const values = emptyIsNil && requirement.values.length === 0 ? undefined : requirement.values;
  const errors = requirementErrors(requirement.key, requirement.operator, values);
  if (errors.length > 0) throw badRequest(`${prefix}${fieldErrorsText(errors)}`);
  return requirement;
}

/** Recursive descent over the tokens, refusing with the texts of labels.Parser. */
class Parser {
  readonly #tokens: readonly LabelToken[];
  #position = 0;

  constructor(tokens: readonly LabelToken[]) {
    this.#tokens = tokens;
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const next = this.#peek();
      if (next.type === 'end') return requirements;
      if (!startsRequirement(next)) throw badRequest(`found '${next.text}', expected: !, identifier, or 'end of string'`);
      requirements.push(this.#requirement());
      const after = this.#take();
      if (after.type === 'end') return requirements;
      if (after.type !== ',') throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`);
      const following = this.#peek();
      if (!startsRequirement(following)) throw badRequest(`found '${following.text}', expected: identifier after ','`);
    }
  }

  #requirement(): Requirement {
    const negated = this.#peek().type === '!';
    if (negated) this.#take();
    const token = this.#take();
    if (!isIdentifier(token)) throw unparsable(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const errors = keyErrors(key, '');
    if (errors.length > 0) throw unparsable(fieldErrorsText(errors));
    if (negated) return { key, operator: '!', values: [] };
    const next = this.#peek().type;
    if (next === 'end' || next === ',') return { key, operator: 'exists', values: [] };
    const operator = this.#operator();
    const values = operator === 'in' || operator === 'notin' ? this.#set() : [this.#exact()];
    return checked({ key, operator, values: [...new Set(values)].sort() }, false, 'unable to parse requirement: ');
  }

  #operator(): RequirementOperator {
    const token = this.#take();
    const operator = token.type === 'end' ? undefined : BINARY_OPERATORS.get(token.text);
    if (operator === undefined) throw unparsable(`found '${token.text}', expected: in, notin, =, ==, !=, gt, lt`);
    return operator;
  }

  #exact(): string {
    const next = this.#peek();
    if (next.type === 'end' || next.type === ',') return '';
    this.#take();
    if (!isIdentifier(next)) throw unparsable(`found '${next.text}', expected: identifier`);
    return next.text;
  }

  #set(): string[] {
    const open = this.#take();
    if (open.type !== '(') throw unparsable(`found '${open.text}' expected: '('`);
    const next = this.#peek();
    if (next.type === ')') {
      this.#take();
      return [''];
    }
    if (!isIdentifier(next) && next.type !== ',') throw unparsable(`found '${next.text}', expected: ',', ')' or identifier`);
    const values = this.#identifiers();
    this.#take();
    return values;
  }

  /** The values up to the closing parenthesis, which stays; a comma without neighbour stands for "". */
  #identifiers(): string[] {
    const values: string[] = [];
    for (;;) {
      const token = this.#take();
      if (isIdentifier(token)) {
        values.push(token.text);
        const next = this.#peek();
        if (next.type === ')') return values;
        if (next.type !== ',') throw unparsable(`found '${next.text}', expected: ',' or ')'`);
      } else if (token.type === ',') {
        if (values.length === 0) values.push('');
        const next = this.#peek();
        if (next.type === ')') return [...values, ''];
        if (next.type === ',') {
          this.#take();
          values.push('');
          if (this.#peek().type === ')') return values;
        }
      } else throw unparsable(`found '${token.text}', expected: ',', or identifier`);
    }
  }

  #peek(): LabelToken {
    return this.#tokens[this.#position] ?? { type: 'end', text: '' };
  }

  #take(): LabelToken {
    const token = this.#peek();
    this.#position++;
    return token;
  }
}

/** `in` and `notin` are identifiers wherever no operator is expected. */
function isIdentifier(token: LabelToken): boolean {
  return token.type === 'identifier' || token.type === 'in' || token.type === 'notin';
}

function startsRequirement(token: LabelToken): boolean {
  return isIdentifier(token) || token.type === '!';
}

function unparsable(why: string): Error {
  return badRequest(`unable to parse requirement: ${why}`);
}
