/** Calls: which signature is meant, in what order arguments are evaluated and what is charged (cel-go interpreter, planCall). */
import { type CallCost, callCost, isPricedByResult } from './cost-runtime.ts';
import { accepts, type FunctionDeclaration, type Implementation, type Overload } from './declarations.ts';
import { constant, type Eval, type Plan } from './plan.ts';
import { compileRegex } from './regex.ts';
import { CelError, ConcatList, isList, mapKey, noSuchOverload, Optional, Timestamp, Duration, typeNameOf, TypeValue, Uint, type Value } from './values.ts';

/** Thrown when a constant part of the expression fails already while compiling. */
export class InstantiationError extends Error {}

/** A call to be planned. `candidates` are the signatures that the checker left. */
export interface Call {
  readonly name: string;
  readonly declaration: FunctionDeclaration;
  readonly candidates: readonly Overload[];
  readonly args: readonly Plan[];
  /** Whether it may answer with the same object each time: no map of the expression can tell that from a new one. */
  readonly mayRemember: boolean;
}

/** Functions that are carried out while compiling when their argument is a constant (planner optimisation). */
const FOLDED = new Set(['bool', 'bytes', 'double', 'duration', 'dyn', 'int', 'string', 'timestamp', 'type', 'uint']);
/** Functions whose second argument is a pattern; a constant one is read while compiling. */
const PATTERNED = new Set(['matches', 'find', 'findAll']);

/** Plans a call whose arguments are planned. */
export function callPlan(call: Call): Plan {
  const { name, args } = call;
  const [first, second] = args;
  if (first !== undefined && second !== undefined) {
    if (name === '_&&_' || name === '_||_') return { eval: logical(first.eval, second.eval, name === '_||_') };
    if (name === 'or' || name === 'orValue') return { eval: optionalOr(name, first.eval, second.eval) };
    const membership = soleId(call) === 'in_list' ? constantMembership(first.eval, second.constant) : undefined;
    if (membership !== undefined) return membership;
  }
  const run = implementation(call);
  if (FOLDED.has(name) && args.length === 1 && first?.constant !== undefined) {
    const folded = run(first.constant);
    if (folded instanceof CelError) throw new InstantiationError(folded.message);
    return constant(folded);
  }
  const pattern = PATTERNED.has(name) ? second?.constant : undefined;
  if (typeof pattern === 'string') {
    const compiled = compileRegex(pattern);
    if (compiled instanceof CelError) throw new InstantiationError(compiled.message);
    const matching: Implementation = name === 'matches' ? (text) => compiled.test(String(text)) : run;
    return { eval: evaluation(call, patterned(matching), true) };
  }
  const evaluate = evaluation(call, run, false);
  const isReading = call.mayRemember && REMEMBERED.has(name) && args.every((arg) => arg.constant !== undefined);
  return { eval: isReading ? remembered(evaluate) : evaluate };
}

/** Readings of texts, which are dear: of constants they are made once. */
const REMEMBERED = new Set(['quantity', 'semver', 'ip', 'cidr', 'url']);

/** A call whose arguments are constants: it is carried out once, and charged each time. */
function remembered(evaluate: Eval): Eval {
  let known: { readonly value: Value; readonly cost: number } | undefined;
  return (frame) => {
    if (known !== undefined) {
      frame.charge(known.cost);
      return known.value;
    }
    const before = frame.cost;
    const value = evaluate(frame);
    known = { value, cost: frame.cost - before };
    return value;
  };
}

function soleId({ candidates }: Call): string {
  return candidates.length === 1 ? (candidates[0]?.id ?? '') : '';
}

/** The meaning of the call: that of its one signature, that of the function, or that of whichever signature fits the values. */
function implementation({ name, declaration, candidates }: Call): Implementation {
  const { dispatch, overloads } = declaration;
  if (dispatch !== undefined) {
    const { receivers, run } = dispatch;
    if (receivers === undefined) return run;
    const takesInts = receivers.has('int');
    return (a = null, b = null) => ((takesInts && typeof a === 'bigint') || receivers.has(typeNameOf(a)) ? run(a, b) : notReceived(name, a));
  }
  const possible = candidates.length === 1 ? candidates : overloads;
  const [only] = possible;
  if (possible.length === 1 && only !== undefined) return soleImplementation(name, only);
  return (...args) => {
    for (const overload of possible) if (accepts(overload, args)) return overload.run(...args);
    return noOverload(name, args);
  };
}

function noOverload(name: string, args: readonly Value[]): CelError {
  return new CelError(`no such overload: ${name}(${args.map(typeNameOf).join(', ')})`);
}

function soleImplementation(name: string, { kinds, run }: Overload): Implementation {
  const [first, second] = kinds;
  if (first !== undefined && kinds.length === 1) return (a = null) => (first.is(a) ? run(a) : noOverload(name, [a]));
  if (first !== undefined && second !== undefined && kinds.length === 2) {
    return (a = null, b = null) => (first.is(a) && second.is(b) ? run(a, b) : noOverload(name, [a, b]));
  }
  return (...args) => (kinds.every((kind, i) => kind.is(args[i] ?? null)) ? run(...args) : noOverload(name, args));
}

/** Matches texts; with a constant pattern nothing is said of other values, save those behind which Go has a text. */
function patterned(run: Implementation): Implementation {
  return (subject = null, ...others) => {
    const text = textBehind(subject);
    return text === undefined ? noSuchOverload() : run(text, ...others);
  };
}

function textBehind(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  if (value instanceof TypeValue) return value.name;
  return value instanceof Optional && value.value !== undefined ? textBehind(value.value) : undefined;
}

/** Texts, timestamps and durations know of functions themselves and have nothing to say to others. */
function notReceived(name: string, first: Value): CelError {
  if (typeof first === 'string' || first instanceof Timestamp || first instanceof Duration) return noSuchOverload();
  return new CelError(`no such overload: ${name}`);
}

/**
 * Evaluates arguments and passes their errors on. A call of two evaluates both even if the first fails; with more, with
 * several possible signatures or with a constant pattern it stops at the first error, and costs nothing unless that was the
 * last argument. The cost is charged before it runs, unless it is that of the result: what costs more than the limit is never begun.
 */
function evaluation(call: Call, run: Implementation, isPatterned: boolean): Eval {
  const { name, declaration } = call;
  const args = call.args.map((plan) => plan.eval);
  const [first, second] = args;
  if (name === '@not_strictly_false') return notStrictlyFalse(first);
  const several = declaration.dispatch === undefined && declaration.overloads.length > 1 && call.candidates.length > 1;
  const cost = callCost(name, soleId(call));
  const calling: Calling = {
    run,
    cost,
    chargedAfter: isPricedByResult(cost) || PANICKING.has(name),
    inSteps: args.length > 2 || isPatterned || declaration.inSteps === true || several,
    spellsOut: !TAKES_ADDED_LISTS.has(name),
  };
  if (declaration.amplifies === true) return counted(general(calling, args));
  if (first !== undefined && args.length === 1) return unary(calling, first);
  if (first !== undefined && second !== undefined && args.length === 2) return binary(calling, first, second);
  return general(calling, args);
}

/** Counts the characters of the text that comes of a call. */
function counted(call: Eval): Eval {
  return (frame) => {
    const result = call(frame);
    if (typeof result === 'string') frame.write(result.length);
    return result;
  };
}

/** Functions that use values as keys, on some of which upstream panics before anything is charged. */
const PANICKING = new Set(['@in', 'cel.@mapInsert']);

/** Functions that lists may be added up for without being spelled out: upstream tells them from others. */
const TAKES_ADDED_LISTS = new Set(['_+_', 'size', '_==_', '_!=_']);

/** How a call is carried out. */
interface Calling {
  /** Whether the cost is that of the result, or charged only when there is one. */
  readonly chargedAfter: boolean;
  readonly run: Implementation;
  readonly cost: CallCost;
  /** Whether an error keeps the arguments after it from being evaluated. */
  readonly inSteps: boolean;
  /** Whether added lists are spelled out before the function sees them. */
  readonly spellsOut: boolean;
}

function unary({ run, cost, spellsOut, chargedAfter }: Calling, arg: Eval): Eval {
  return (frame) => {
    const evaluated = arg(frame);
    const value = spellsOut && evaluated instanceof ConcatList ? evaluated.items : evaluated;
    if (!chargedAfter || value instanceof CelError) frame.charge(cost(value, null, value));
    if (value instanceof CelError) return value;
    const result = run(value);
    if (chargedAfter) frame.charge(cost(value, null, result));
    return result;
  };
}

function binary({ run, cost, inSteps, spellsOut, chargedAfter }: Calling, left: Eval, right: Eval): Eval {
  return (frame) => {
    let a = left(frame);
    if (inSteps && a instanceof CelError) return a;
    let b = right(frame);
    if (typeof a === 'object' || typeof b === 'object') {
      const failed = a instanceof CelError ? a : b instanceof CelError ? b : undefined;
      if (failed !== undefined) {
        frame.charge(cost(a, b, failed));
        return failed;
      }
      if (spellsOut && a instanceof ConcatList) a = a.items;
      if (spellsOut && b instanceof ConcatList) b = b.items;
    }
    if (!chargedAfter) {
      frame.charge(cost(a, b, null));
      return run(a, b);
    }
    const result = run(a, b);
    frame.charge(cost(a, b, result));
    return result;
  };
}

/** Calls of none or of three and more arguments. */
function general({ run, cost, chargedAfter }: Calling, args: readonly Eval[]): Eval {
  return (frame) => {
    const values: Value[] = [];
    for (let i = 0; i < args.length; i++) {
      const value = args[i]?.(frame) ?? null;
      values.push(value instanceof ConcatList ? value.items : value);
      if (!(value instanceof CelError)) continue;
      if (i === args.length - 1) frame.charge(cost(values[0] ?? null, values[1] ?? null, value));
      return value;
    }
    const [first = null, second = null] = values;
    if (!chargedAfter) frame.charge(cost(first, second, null));
    const result = run(...values);
    if (chargedAfter) frame.charge(cost(first, second, result));
    return result;
  };
}

function notStrictlyFalse(arg: Eval | undefined): Eval {
  return (frame) => {
    const value = arg?.(frame) ?? null;
    frame.charge(1);
    return typeof value === 'boolean' ? value : true;
  };
}

/** `&&` and `||`: the deciding side wins over errors of the other. */
function logical(left: Eval, right: Eval, deciding: boolean): Eval {
  return (frame) => {
    const a = left(frame);
    if (a === deciding) return deciding;
    const b = right(frame);
    if (b === deciding) return deciding;
    if (typeof a !== 'boolean') return a instanceof CelError ? a : noSuchOverload();
    if (typeof b !== 'boolean') return b instanceof CelError ? b : noSuchOverload();
    return !deciding;
  };
}

function optionalOr(name: 'or' | 'orValue', left: Eval, right: Eval): Eval {
  return (frame) => {
    const value = left(frame);
    if (value instanceof CelError) return value;
    if (!(value instanceof Optional)) return noSuchOverload();
    if (value.value !== undefined) return name === 'or' ? value : value.value;
    return right(frame);
  };
}

/** Membership in a list of constants: a set lookup that costs nothing (planner optimisation); undefined when it is none. */
function constantMembership(element: Eval, list: Value | undefined): Plan | undefined {
  if (list === undefined || !isList(list)) return undefined;
  if (list.length === 0) return constant(false);
  const keys = new Set<unknown>();
  for (const value of list) {
    if (!isPrimitive(value)) return undefined;
    for (const twin of [value, ...numberTwins(value)]) keys.add(mapKey(twin));
  }
  return {
    eval: (frame) => {
      const value = element(frame);
      return value instanceof CelError ? value : keys.has(mapKey(value));
    },
  };
}

function isPrimitive(value: Value): boolean {
  return ['string', 'bigint', 'boolean', 'number'].includes(typeof value) || value instanceof Uint;
}

/** The same number in the other types. */
function numberTwins(value: Value): readonly Value[] {
  if (typeof value !== 'bigint' && typeof value !== 'number' && !(value instanceof Uint)) return [];
  if (typeof value === 'number' && !Number.isInteger(value)) return [];
  const whole = value instanceof Uint ? value.value : BigInt(value);
  const twins: Value[] = [Number(whole)];
  if (whole >= -(2n ** 63n) && whole < 2n ** 63n) twins.push(whole);
  if (whole >= 0n && whole < 2n ** 64n) twins.push(new Uint(whole));
  return twins;
}
