/** Answers the requests of the CEL oracle's protocol with dray's own evaluator and machinery. */
import {
  CEL_SELECTOR_EXPRESSION_MAX_COST,
  CEL_SELECTOR_EXPRESSION_MAX_LENGTH,
  CelError,
  compileExpression,
  nativeAttribute,
  type NativeAttribute,
  outcomeOf,
  typeText,
  type CelDevice,
  type CelFeatures,
  type CompiledExpression,
  type CompileFailure,
  type Evaluation,
  type Purpose,
} from '#cel';
import { Semver } from '#machinery';
import { MACHINERY_OPERATIONS, type MachineryRequest } from './machinery-oracle.ts';

/** One question. */
export interface CelRequest extends MachineryRequest {
  readonly op: string;
  readonly expression?: string;
  readonly features?: Partial<CelFeatures>;
  readonly env?: 'new' | 'stored';
  readonly derived?: boolean;
  readonly device?: CelDevice;
  readonly devices?: readonly CelDevice[];
  readonly costLimit?: number;
}

const CEL_OPERATIONS: Readonly<Record<string, (request: CelRequest) => object>> = {
  info: () => ({ modules: {}, compatibilityVersion: '1.36', limits: LIMITS }),
  compile: (request) => compiledAnswer(compile(request, modeOf(request), request.derived === true ? 'derivedAttribute' : 'selector')),
  eval: (request) => evaluated(request, compile(request, modeOf(request), 'selector'), matchAnswer),
  derive: (request) => evaluated(request, compile(request, modeOf(request), 'derivedAttribute'), attributeAnswer),
  selector: selectorAnswer,
};

const LIMITS = { expressionLength: CEL_SELECTOR_EXPRESSION_MAX_LENGTH, expressionCost: CEL_SELECTOR_EXPRESSION_MAX_COST };

/** The answer to one request; throws when the request cannot be understood. */
export function answerRequest(request: CelRequest): object {
  const operation = CEL_OPERATIONS[request.op] ?? MACHINERY_OPERATIONS[request.op];
  if (operation === undefined) throw new Error(`unknown op ${JSON.stringify(request.op)}`);
  return operation(request);
}

function modeOf({ env = 'stored' }: CelRequest): 'new' | 'stored' {
  if (env !== 'new' && env !== 'stored') throw new Error(`unknown env ${JSON.stringify(env)}, want new or stored`);
  return env;
}

function compile(request: CelRequest, mode: 'new' | 'stored', purpose: Purpose): CompiledExpression | CompileFailure {
  const features = { consumableCapacity: request.features?.consumableCapacity === true, listTypeAttributes: request.features?.listTypeAttributes === true };
  return compileExpression(request.expression ?? '', mode, features, purpose);
}

function compiledAnswer(compiled: CompiledExpression | CompileFailure): object {
  if ('kind' in compiled) {
    if (compiled.kind === 'TooLong') return { verdict: 'FieldValueTooLong' };
    return { verdict: compiled.kind === 'RuleInvalid' ? 'FieldValueInvalid' : 'InternalError', error: { type: compiled.kind, message: compiled.message } };
  }
  const cost = compiled.maxCost();
  const verdict = cost > BigInt(CEL_SELECTOR_EXPRESSION_MAX_COST) ? 'FieldValueForbidden' : 'ok';
  return { verdict, type: typeText(compiled.type), cost: cost === 2n ** 64n - 1n ? 'unbounded' : String(cost) };
}

function selectorAnswer(request: CelRequest): object {
  const life = { new: compiledAnswer(compile(request, 'new', 'selector')) };
  const stored = compile(request, 'stored', 'selector');
  if ('kind' in stored) return { ...life, stored: compiledAnswer(stored) };
  const results = (request.devices ?? []).map((device) => matchAnswer(stored.evaluate(device, request.costLimit)));
  return { ...life, stored: compiledAnswer(stored), results };
}

function evaluated(request: CelRequest, compiled: CompiledExpression | CompileFailure, show: (evaluation: Evaluation) => object): object {
  if ('kind' in compiled) return compiledAnswer(compiled);
  return show(compiled.evaluate(request.device ?? { driver: '' }, request.costLimit));
}

function matchAnswer(evaluation: Evaluation): object {
  const outcome = outcomeOf(evaluation);
  const cost = evaluation.cost === undefined ? {} : { cost: evaluation.cost };
  return outcome.kind === 'value' ? { result: outcome.matches, ...cost } : { error: outcome.message, ...cost };
}

function attributeAnswer({ value, cost }: Evaluation): object {
  const spent = cost === undefined ? {} : { cost };
  const attribute = value instanceof CelError ? value.message : nativeAttribute(value);
  return typeof attribute === 'string' ? { error: attribute, ...spent } : { value: attributeJson(attribute), ...spent };
}

/** The attribute as the API spells it, integers as decimal strings; an empty list says nothing. */
function attributeJson({ isList, values }: NativeAttribute): object {
  const [first] = values;
  if (first === undefined) return {};
  const field = first instanceof Semver ? 'version' : typeof first === 'bigint' ? 'int' : typeof first === 'boolean' ? 'bool' : 'string';
  const plain = values.map((value) => (typeof value === 'bigint' || value instanceof Semver ? value.toString() : value));
  return isList ? { [`${field}s`]: plain } : { [field]: plain[0] };
}
