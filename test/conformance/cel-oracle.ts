/** Answers the requests of the CEL oracle's protocol, one JSON line each, with dray's own evaluator. */
import {
  CEL_SELECTOR_EXPRESSION_MAX_COST,
  CelError,
  compileExpression,
  isList,
  outcomeOf,
  typeText,
  type CelDevice,
  type CelFeatures,
  type CompiledExpression,
  type CompileFailure,
  type Evaluation,
  type Purpose,
  type Value,
} from '#cel';
import { Semver } from '#machinery';

interface Request {
  readonly op: string;
  readonly expression: string;
  readonly features?: Partial<CelFeatures>;
  readonly env?: 'new' | 'stored';
  readonly derived?: boolean;
  readonly device?: CelDevice;
  readonly devices?: readonly CelDevice[];
  readonly costLimit?: number;
}

/** The answer to one request line, as a line. */
export function answerOracle(line: string): string {
  return JSON.stringify(answer(JSON.parse(line)));
}

function answer(request: Request): unknown {
  const mode = request.env ?? 'stored';
  switch (request.op) {
    case 'compile':
      return compiledAnswer(compile(request, mode, request.derived === true ? 'derivedAttribute' : 'selector'));
    case 'eval':
      return evaluated(request, compile(request, mode, 'selector'), matchAnswer);
    case 'derive':
      return evaluated(request, compile(request, mode, 'derivedAttribute'), attributeAnswer);
    case 'selector':
      return selectorAnswer(request);
    default:
      return { badRequest: `unknown op ${request.op}` };
  }
}

function compile(request: Request, mode: 'new' | 'stored', purpose: Purpose): CompiledExpression | CompileFailure {
  const features = { consumableCapacity: request.features?.consumableCapacity === true, listTypeAttributes: request.features?.listTypeAttributes === true };
  return compileExpression(request.expression, mode, features, purpose);
}

function compiledAnswer(compiled: CompiledExpression | CompileFailure): unknown {
  if ('kind' in compiled) {
    if (compiled.kind === 'TooLong') return { verdict: 'FieldValueTooLong' };
    return { verdict: compiled.kind === 'RuleInvalid' ? 'FieldValueInvalid' : 'InternalError', error: { type: compiled.kind, message: compiled.message } };
  }
  const cost = compiled.maxCost();
  const verdict = cost > BigInt(CEL_SELECTOR_EXPRESSION_MAX_COST) ? 'FieldValueForbidden' : 'ok';
  return { verdict, type: typeText(compiled.type), cost: cost === 2n ** 64n - 1n ? 'unbounded' : String(cost) };
}

function selectorAnswer(request: Request): unknown {
  const life = { new: compiledAnswer(compile(request, 'new', 'selector')) };
  const stored = compile(request, 'stored', 'selector');
  if ('kind' in stored) return { ...life, stored: compiledAnswer(stored) };
  const results = (request.devices ?? []).map((device) => matchAnswer(stored.evaluate(device, request.costLimit)));
  return { ...life, stored: compiledAnswer(stored), results };
}

function evaluated(request: Request, compiled: CompiledExpression | CompileFailure, show: (evaluation: Evaluation) => object): unknown {
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
  if (value instanceof CelError) return { error: value.message, ...spent };
  const attribute = derivedAttribute(value);
  return typeof attribute === 'string' ? { error: attribute, ...spent } : { value: attribute, ...spent };
}

const FIELDS: Readonly<Record<string, string>> = { string: 'string', bigint: 'int', boolean: 'bool' };

/** The attribute that a value becomes, or why it becomes none. */
function derivedAttribute(value: Value): object | string {
  if (!isList(value)) {
    const field = fieldOf(value);
    return field === undefined ? `unsupported type ${typeof value}` : { [field]: plain(value) };
  }
  const [first] = value;
  const field = first === undefined ? undefined : fieldOf(first);
  if (field === undefined) return value.length === 0 ? {} : `unsupported type ${typeof first}`;
  const odd = value.findIndex((item) => fieldOf(item) !== field);
  if (odd >= 0) return `expected list element at index ${odd} to be ${goName(field)}, got ${goName(fieldOf(value[odd] ?? null) ?? '')}`;
  return { [`${field}s`]: value.map(plain) };
}

function goName(field: string): string {
  return field === 'int' ? 'int64' : field;
}

function fieldOf(value: Value): string | undefined {
  return value instanceof Semver ? 'version' : FIELDS[typeof value];
}

function plain(value: Value): unknown {
  return typeof value === 'bigint' || value instanceof Semver ? value.toString() : value;
}
