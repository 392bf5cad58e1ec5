/** Selectors from text to verdict: parse, check, judge the result type, estimate, compile, evaluate. */
import { check } from './checker.ts';
import { compile } from './compile.ts';
import { estimateCost } from './cost-estimate.ts';
import { type CelDevice, valueOfDevice } from './device.ts';
import { type CelFeatures, environmentFor, MACROS } from './environment.ts';
import { parse } from './parser.ts';
import { type Eval, Frame } from './plan.ts';
import { KeptLast } from './kept-last.ts';
import { ErrorList, Source } from './source.ts';
import * as t from './types.ts';
import { validate } from './validators.ts';
import { nativeBool } from './native.ts';
import { Aborted, CelError, CostLimitExceeded, listItems, Panic, typeNameOf, type Value } from './values.ts';

/** Longest expression in bytes (resource/v1 types.go). */
export const CEL_SELECTOR_EXPRESSION_MAX_LENGTH = 10 * 1024;
/** Highest estimated cost of a selector, and the limit of one evaluation (resource/v1 types.go). */
export const CEL_SELECTOR_EXPRESSION_MAX_COST = 1000000;

/** Why an expression was refused: by its author's fault, or while it was made ready to run. */
export interface CompileFailure {
  readonly kind: 'RuleInvalid' | 'InternalError' | 'TooLong';
  readonly message: string;
}

/** An expression that can be evaluated. */
export interface CompiledExpression {
  readonly type: t.Type;
  /** Worst case cost; Infinity when it has no bound. */
  readonly maxCost: () => bigint;
  readonly evaluate: (device: CelDevice, costLimit?: number) => Evaluation;
}

/** What came of an evaluation; `cost` is absent when it did not begin. */
export interface Evaluation {
  readonly value: Value;
  readonly cost?: number;
}

/** What an expression is for, which decides what it may evaluate to. */
export type Purpose = 'selector' | 'derivedAttribute';

/** Expressions that are kept compiled, and how many characters of them (upstream: dynamic-resource-allocation/cel, cache.go). */
const MAX_KEPT = { count: 1000, characters: 500_000 };

const kept = new KeptLast<CompiledExpression | CompileFailure>(MAX_KEPT);

/** Compiles an expression for a purpose, or takes what was compiled before. */
export function compileExpression(text: string, mode: 'new' | 'stored', features: CelFeatures, purpose: Purpose): CompiledExpression | CompileFailure {
  const { consumableCapacity, listTypeAttributes } = features;
  return kept.get(`${mode} ${purpose} ${consumableCapacity} ${listTypeAttributes} ${text}`, () => compileAnew(text, mode, features, purpose));
}

/** Compiles an expression whether or not it is known: what a miss costs. */
export function compileAnew(text: string, mode: 'new' | 'stored', features: CelFeatures, purpose: Purpose): CompiledExpression | CompileFailure {
  if (text.length * 3 > CEL_SELECTOR_EXPRESSION_MAX_LENGTH && new TextEncoder().encode(text).length > CEL_SELECTOR_EXPRESSION_MAX_LENGTH)
    return { kind: 'TooLong', message: '' };
  const environment = environmentFor(mode, features);
  const errors = new ErrorList(new Source(text));
  const expr = parse(errors.source, MACROS, errors);
  const checked = expr === undefined ? undefined : check(expr, environment, errors);
  if (checked !== undefined) validate(checked, errors);
  if (checked === undefined || errors.size > 0) return { kind: 'RuleInvalid', message: `compilation failed: ${errors.toString()}` };
  const type = checked.types.get(checked.expr) ?? t.DYN;
  const refusal = purpose === 'selector' ? refuseSelectorType(type, environment.attributeType) : refuseDerivedType(type, environment.attributeType === t.DYN);
  if (refusal !== undefined) return { kind: 'RuleInvalid', message: refusal };
  const program = compile(checked);
  if (!program.ok) return { kind: 'InternalError', message: `program instantiation failed: ${program.error}` };
  let maxCost: bigint | undefined;
  return { type, maxCost: () => (maxCost ??= estimateCost(checked)), evaluate: evaluator(program.run) };
}

function refuseSelectorType(type: t.Type, attributeType: t.Type): string | undefined {
  if (type.kind === 'bool' || type.kind === attributeType.kind) return undefined;
  return `must evaluate to bool or the unknown type, not ${t.typeText(type)}`;
}

function refuseDerivedType(type: t.Type, allowLists: boolean): string | undefined {
  const scalar = allowLists && type.kind === 'list' ? t.at(type, 0) : type;
  const good = ['bool', 'int', 'string', 'dyn', 'any'].includes(scalar.kind) || t.sameType(scalar, t.SEMVER);
  if (good) return undefined;
  const lists = allowLists ? ' or a list of these scalars' : '';
  return `must evaluate to a primitive scalar (string, integer, boolean, semver)${lists}, not ${t.typeText(type)}`;
}

function evaluator(run: Eval): CompiledExpression['evaluate'] {
  return (device, costLimit = CEL_SELECTOR_EXPRESSION_MAX_COST) => {
    const value = valueOfDevice(device);
    if (value instanceof CelError) return { value };
    const frame = new Frame(value, costLimit);
    try {
      const result = run(frame);
      return { value: listItems(result) ?? result, cost: frame.cost };
    } catch (thrown) {
      if (thrown instanceof CostLimitExceeded || thrown instanceof Aborted) return { value: new CelError(thrown.message), cost: frame.cost };
      if (thrown instanceof Panic) return { value: new CelError(`internal error: ${thrown.message}`), cost: frame.cost };
      throw thrown;
    }
  };
}

/** A selector ready to be tried on devices. */
export interface Selector {
  /** Tries a device. An error aborts the whole allocation; it is not a "no". */
  evaluate(device: CelDevice): SelectorOutcome;
}

/** Whether the device matches, and what finding out cost. */
export type SelectorOutcome =
  | { readonly kind: 'value'; readonly matches: boolean; readonly cost: number }
  | { readonly kind: 'error'; readonly message: string; readonly cost?: number };

/** Options of compileSelector. */
export interface SelectorOptions {
  /** Gates by name; only looked at for new expressions. Absent ones are off. */
  readonly gates?: ReadonlyMap<string, boolean>;
  readonly mode: 'new' | 'stored';
}

/** A selector, or what upstream says against it. */
export type CompiledSelector = { readonly ok: true; readonly selector: Selector } | { readonly ok: false; readonly errors: readonly string[] };

/** Compiles a selector; the errors are upstream's texts. */
export function compileSelector(expression: string, options: SelectorOptions): CompiledSelector {
  const compiled = compileExpression(expression, options.mode, featuresOf(options.gates), 'selector');
  if ('kind' in compiled) return { ok: false, errors: [failureText(compiled)] };
  return { ok: true, selector: { evaluate: (device) => outcomeOf(compiled.evaluate(device)) } };
}

/** Everything admission has against a selector: compile errors, or the estimated cost. `stored` tells that it is in store already. */
export function checkSelector(expression: string, stored: boolean, gates: ReadonlyMap<string, boolean>): readonly string[] {
  const compiled = compileExpression(expression, stored ? 'stored' : 'new', featuresOf(gates), 'selector');
  if ('kind' in compiled) return [failureText(compiled)];
  return compiled.maxCost() > BigInt(CEL_SELECTOR_EXPRESSION_MAX_COST) ? [TOO_COSTLY] : [];
}

/** Admission's text for a selector whose estimate exceeds the limit (pkg/apis/resource/validation). */
const TOO_COSTLY = 'too complex, exceeds cost limit';

function failureText(failure: CompileFailure): string {
  return failure.kind === 'TooLong' ? `must have at most ${CEL_SELECTOR_EXPRESSION_MAX_LENGTH} bytes` : failure.message;
}

function featuresOf(gates: ReadonlyMap<string, boolean> | undefined): CelFeatures {
  return {
    consumableCapacity: gates?.get('DRAConsumableCapacity') === true,
    listTypeAttributes: gates?.get('DRAListTypeAttributes') === true,
  };
}

/** What an evaluation says about a match: only true and false do. */
export function outcomeOf(evaluation: Evaluation): SelectorOutcome {
  const { value, cost } = evaluation;
  const matches = value instanceof CelError ? value.message : nativeBool(value);
  if (typeof matches === 'boolean') return { kind: 'value', matches, cost: cost ?? 0 };
  const message = value instanceof CelError ? value.message : `CEL result of type ${typeNameOf(value)} could not be converted to bool: ${matches}`;
  return cost === undefined ? { kind: 'error', message } : { kind: 'error', message, cost };
}
