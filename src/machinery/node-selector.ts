/** Node selectors: terms over a node's labels and name (component-helpers scheduling/corev1/nodeaffinity). */
import { type FieldError, fieldErrorsText, invalidField } from './field-error.ts';
import { type Labels, meets, operatorError, type Requirement, type RequirementOperator, requirementErrors } from './requirement.ts';

/** The shape of core/v1 NodeSelectorRequirement. */
export interface NodeRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | undefined;
}

/** The shape of core/v1 NodeSelectorTerm; an empty term matches nothing. */
export interface NodeTerm {
  readonly matchExpressions?: readonly NodeRequirement[] | undefined;
  readonly matchFields?: readonly NodeRequirement[] | undefined;
}

/** The shape of core/v1 NodeSelector: one of the terms must match. */
export interface NodeTerms {
  readonly nodeSelectorTerms?: readonly NodeTerm[] | undefined;
}

/** What a node selector looks at. */
export interface SelectableNode {
  readonly name: string;
  readonly labels?: Labels | undefined;
}

/** A node selector that cannot be evaluated; the message is upstream's. */
export class NodeSelectorError extends Error {
  override readonly name = 'NodeSelectorError';
}

interface FieldTerm {
  readonly key: string;
  readonly negated: boolean;
  readonly value: string;
}

interface CompiledTerm {
  readonly labels: readonly Requirement[];
  readonly fields: readonly FieldTerm[];
  readonly errors: readonly FieldError[];
}

const OPERATORS: ReadonlyMap<string, RequirementOperator> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
  ['Gt', 'gt'],
  ['Lt', 'lt'],
]);

/** API objects are immutable, so what has been compiled for one stays right. */
const compiledSelectors = new WeakMap<NodeTerms, readonly CompiledTerm[]>();
const compiledTerms = new WeakMap<NodeTerm, CompiledTerm>();

/** Whether a term matches the node; throws NodeSelectorError when any term is invalid (as the allocator wants it). */
export function matchesNodeSelector(selector: NodeTerms, node: SelectableNode): boolean {
  const terms = compile(selector);
  throwErrors(terms);
  return terms.some((term) => termMatches(term, node));
}

/** The same for pod affinity: invalid terms count only when no valid one matches (LazyErrorNodeSelector). */
export function matchesNodeSelectorLazily(selector: NodeTerms, node: SelectableNode): boolean {
  const terms = compile(selector);
  if (terms.some((term) => term.errors.length === 0 && termMatches(term, node))) return true;
  throwErrors(terms);
  return false;
}

/** Whether one term matches the node (a preferred term, for example); an empty term does not. Throws NodeSelectorError. */
export function matchesNodeSelectorTerm(term: NodeTerm, node: SelectableNode): boolean {
  if (isEmpty(term)) return false;
  let compiled = compiledTerms.get(term);
  if (compiled === undefined) {
    compiled = compileTerm(term, '');
    compiledTerms.set(term, compiled);
  }
  throwErrors([compiled]);
  return termMatches(compiled, node);
}

function compile(selector: NodeTerms): readonly CompiledTerm[] {
  let terms = compiledSelectors.get(selector);
  if (terms === undefined) {
    terms = (selector.nodeSelectorTerms ?? []).flatMap((term, i) => (isEmpty(term) ? [] : [compileTerm(term, `nodeSelectorTerms[${i}].`)]));
    compiledSelectors.set(selector, terms);
  }
  return terms;
}

function isEmpty(term: NodeTerm): boolean {
  return (term.matchExpressions ?? []).length === 0 && (term.matchFields ?? []).length === 0;
}

function throwErrors(terms: readonly CompiledTerm[]): void {
  const errors = terms.flatMap((term) => term.errors);
  if (errors.length > 0) throw new NodeSelectorError(fieldErrorsText(errors));
}

function compileTerm(term: NodeTerm, path: string): CompiledTerm {
  const labels: Requirement[] = [];
  const fields: FieldTerm[] = [];
  const errors: FieldError[] = [];
  for (const [i, { key, operator, values }] of (term.matchExpressions ?? []).entries()) {
    const at = `${path}matchExpressions[${i}].`;
    const known = OPERATORS.get(operator);
    if (known === undefined) errors.push(operatorError(`${at}operator`, operator, [...OPERATORS.keys()]));
    else {
      errors.push(...requirementErrors(key, known, values, at));
      labels.push({ key, operator: known, values: values ?? [] });
    }
  }
  for (const [i, { key, operator, values }] of (term.matchFields ?? []).entries()) {
    const at = `${path}matchFields[${i}].`;
    const [value = '', ...others] = values ?? [];
    if (operator !== 'In' && operator !== 'NotIn') errors.push(operatorError(`${at}operator`, operator, ['In', 'NotIn']));
    else if (others.length > 0 || values?.length !== 1) errors.push(invalidField(`${at}values`, values ?? null, 'must have one element'));
    else fields.push({ key, negated: operator === 'NotIn', value });
  }
  return { labels, fields, errors };
}

function termMatches(term: CompiledTerm, node: SelectableNode): boolean {
  const labels = node.labels ?? {};
  if (!term.labels.every((requirement) => meets(requirement, labels))) return false;
  if (node.name === '') return true;
  return term.fields.every(({ key, negated, value }) => ((key === 'metadata.name' ? node.name : '') === value) !== negated);
}
