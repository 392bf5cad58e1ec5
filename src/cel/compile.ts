/** Turns a checked tree into closures that count their cost as cel-go's interpreter does. */
import type { CallExpr, ComprehensionExpr, Expr, ListExpr, MapExpr, SelectExpr } from './ast.ts';
import type { Checked } from './checker.ts';
import { callCost, pricedByResult, LIST_CREATE_BASE_COST, MAP_CREATE_BASE_COST } from './cost-runtime.ts';
import { accepts, type Overload } from './declarations.ts';
import { constant, type Eval, type Frame, path, type Plan, presenceTest, qualified } from './plan.ts';
import { compileRegex } from './regex.ts';
import { CelError, CelMap, isList, mapKey, noSuchOverload, Optional, OpaqueValue, typeNameOf, typeValue, Uint, type Value } from './values.ts';

/** Functions that are carried out while compiling when their argument is a constant (planner optimisation). */
const FOLDED = new Set(['bool', 'bytes', 'double', 'duration', 'dyn', 'int', 'string', 'timestamp', 'type', 'uint']);

/** A program ready to run, or why it cannot be made. */
export type Program = { readonly ok: true; readonly run: Eval } | { readonly ok: false; readonly error: string };

/** Thrown when a constant part of the expression fails already while compiling. */
class InstantiationError extends Error {}

/** Compiles a checked expression. */
export function compile(checked: Checked): Program {
  try {
    return { ok: true, run: new Compiler(checked).plan(checked.expr).eval };
  } catch (thrown) {
    if (thrown instanceof InstantiationError) return { ok: false, error: thrown.message };
    throw thrown;
  }
}

class Compiler {
  readonly #checked: Checked;
  /** Slots of the variables in scope. */
  readonly #slots: [name: string, slot: number][] = [];
  #nextSlot = 0;

  constructor(checked: Checked) {
    this.#checked = checked;
  }

  plan(expr: Expr): Plan {
    switch (expr.kind) {
      case 'literal':
        return constant(expr.value);
      case 'ident':
        return this.#typeReference(expr) ?? this.#ident(expr.name);
      case 'select':
        return this.#typeReference(expr) ?? this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        throw new InstantiationError(`no such type: ${expr.name}`);
      case 'comprehension':
        return this.#fold(expr);
    }
  }

  #typeReference(expr: Expr): Plan | undefined {
    const type = this.#checked.typeReferences.get(expr);
    return type === undefined ? undefined : constant(typeValue(type));
  }

  #ident(name: string): Plan {
    for (let i = this.#slots.length - 1; i >= 0; i--) {
      const [known, slot] = this.#slots[i] ?? ['', 0];
      if (known === name) return path((frame) => read(frame, slot));
    }
    return path((frame) => frame.device);
  }

  #select(expr: SelectExpr): Plan {
    const operand = this.#operand(expr.operand);
    if (expr.testOnly) {
      const test = presenceTest(operand, expr.field);
      return { eval: test, resolve: test };
    }
    return path(qualified(operand, { key: () => expr.field, fixed: expr.field, optional: false }));
  }

  /** The start of an access path: another path goes on uncharged, anything else is evaluated. */
  #operand(expr: Expr): Eval {
    const plan = this.plan(expr);
    return plan.resolve ?? plan.eval;
  }

  #call(expr: CallExpr): Plan {
    const namespaced = this.#checked.namespaced.get(expr);
    const name = namespaced ?? expr.name.replace(/^\./, '');
    const argExprs = expr.target === undefined || namespaced !== undefined ? expr.args : [expr.target, ...expr.args];
    const [first, second, third] = argExprs;
    if (first !== undefined && second !== undefined) {
      if (name === '_&&_' || name === '_||_') return { eval: logical(this.plan(first).eval, this.plan(second).eval, name === '_||_') };
      if (name === '_[_]') return this.#index(first, second, false);
      if (name === '_[?_]' || name === '_?._') return this.#index(first, second, true);
      if (name === '_?_:_' && third !== undefined) return this.#conditional(first, second, third);
      if (name === 'or' || name === 'orValue') return { eval: optionalOr(name, this.plan(first).eval, this.plan(second).eval) };
    }
    const plans = argExprs.map((arg) => this.plan(arg));
    return this.#function(expr, name, plans);
  }

  #index(operandExpr: Expr, indexExpr: Expr, optional: boolean): Plan {
    const operand = this.#operand(operandExpr);
    const index = this.plan(indexExpr);
    return path(qualified(operand, { key: index.resolve ?? index.eval, fixed: index.constant, optional }));
  }

  #conditional(conditionExpr: Expr, thenExpr: Expr, elseExpr: Expr): Plan {
    const condition = this.plan(conditionExpr).eval;
    const truthy = this.#operand(thenExpr);
    const falsy = this.#operand(elseExpr);
    const resolve: Eval = (frame) => {
      const value = condition(frame);
      if (typeof value === 'boolean') return value ? truthy(frame) : falsy(frame);
      return value instanceof CelError ? value : noSuchOverload();
    };
    return { eval: resolve, resolve };
  }

  #function(expr: CallExpr, name: string, plans: readonly Plan[]): Plan {
    const overloads = this.#checked.overloads.get(expr) ?? [];
    const [only] = overloads;
    const overloadId = overloads.length === 1 ? (only?.id ?? '') : '';
    const [first, second] = plans;
    if (name === '@in' && second?.constant !== undefined && isList(second.constant) && second.constant.length === 0) return { eval: () => false };
    if (overloadId === 'in_list' && first !== undefined && second?.constant !== undefined) {
      const membership = setMembership(first.eval, second.constant);
      if (membership !== undefined) return { eval: membership };
    }
    const run = name === '@not_strictly_false' ? notStrictlyFalse : dispatcher(name, overloads);
    if (FOLDED.has(name) && plans.length === 1 && first?.constant !== undefined) {
      const folded = run([first.constant]);
      if (folded instanceof CelError) throw new InstantiationError(folded.message);
      return constant(folded);
    }
    if ((name === 'matches' || name === 'find' || name === 'findAll') && typeof second?.constant === 'string') {
      const pattern = compileRegex(second.constant);
      if (pattern instanceof CelError) throw new InstantiationError(pattern.message);
    }
    return {
      eval: strictCall(
        name,
        overloadId,
        plans.map((plan) => plan.eval),
        run,
      ),
    };
  }

  #list(expr: ListExpr): Plan {
    const plans = expr.elements.map((element) => this.plan(element));
    if (plans.every((plan) => plan.constant !== undefined)) {
      const values: Value[] = [];
      const failed = appendAll(
        values,
        plans.map((plan) => plan.constant ?? null),
        expr.optional,
      );
      if (failed === undefined) return constant(values);
    }
    const evals = plans.map((plan) => plan.eval);
    return {
      eval: (frame) => {
        const elements: Value[] = [];
        for (const item of evals) {
          const value = item(frame);
          if (value instanceof CelError) return failedConstruction(frame, value, LIST_CREATE_BASE_COST);
          elements.push(value);
        }
        const values: Value[] = [];
        const failed = appendAll(values, elements, expr.optional);
        frame.charge(LIST_CREATE_BASE_COST);
        return failed ?? values;
      },
    };
  }

  #map(expr: MapExpr): Plan {
    const plans = expr.entries.map((entry) => ({ key: this.plan(entry.key), value: this.plan(entry.value), optional: entry.optional }));
    const build = (read: (plan: Plan) => Value): Value => {
      const map = new CelMap();
      for (const plan of plans) {
        const key = read(plan.key);
        if (key instanceof CelError) return key;
        const value = read(plan.value);
        if (value instanceof CelError) return value;
        const failed = insertEntry(map, key, value, plan.optional);
        if (failed !== undefined) return failed;
      }
      return map;
    };
    if (plans.every((plan) => plan.key.constant !== undefined && plan.value.constant !== undefined)) {
      const folded = build((plan) => plan.constant ?? null);
      if (!(folded instanceof CelError)) return constant(folded);
    }
    return {
      eval: (frame) => {
        const map = build((plan) => plan.eval(frame));
        frame.charge(MAP_CREATE_BASE_COST);
        return map;
      },
    };
  }

  #fold(expr: ComprehensionExpr): Plan {
    const range = this.plan(expr.range).eval;
    const init = this.plan(expr.init).eval;
    const accu = this.#declare(expr.accuVar);
    const first = this.#declare(expr.iterVar);
    const second = expr.iterVar2 === undefined ? undefined : this.#declare(expr.iterVar2);
    const condition = this.plan(expr.condition).eval;
    const step = this.plan(expr.step).eval;
    this.#slots.length -= second === undefined ? 1 : 2;
    const result = this.plan(expr.result).eval;
    this.#slots.length -= 1;
    return {
      eval: (frame) => {
        const over = range(frame);
        if (over instanceof CelError) return over;
        const items = iteration(over);
        if (items instanceof CelError) return items;
        frame.variables[accu] = items.length === 0 ? new Deferred(init) : init(frame);
        for (let i = 0; i < items.length; i++) {
          const item = items[i] ?? null;
          frame.variables[first] = second === undefined || !isList(over) ? item : BigInt(i);
          if (second !== undefined) frame.variables[second] = over instanceof CelMap ? (over.get(item) ?? null) : item;
          if (condition(frame) !== true) break;
          frame.variables[accu] = step(frame);
        }
        return result(frame);
      },
    };
  }

  #declare(name: string): number {
    const slot = this.#nextSlot++;
    this.#slots.push([name, slot]);
    return slot;
  }
}

/** The value that a loop over nothing begins with: evaluated when somebody looks at it, as upstream does. */
class Deferred extends CelError {
  readonly init: Eval;

  constructor(init: Eval) {
    super('deferred');
    this.init = init;
  }
}

function read(frame: Frame, slot: number): Value {
  const value = frame.variables[slot] ?? null;
  if (!(value instanceof Deferred)) return value;
  const initial = value.init(frame);
  frame.variables[slot] = initial;
  return initial;
}

function failedConstruction(frame: Frame, error: CelError, cost: number): CelError {
  frame.charge(cost);
  return error;
}

function appendAll(out: Value[], elements: readonly Value[], optional: ReadonlySet<number>): CelError | undefined {
  for (let i = 0; i < elements.length; i++) {
    const value = elements[i] ?? null;
    if (!optional.has(i)) out.push(value);
    else if (!(value instanceof Optional)) return new CelError(`cannot initialize optional list element from non-optional value ${typeNameOf(value)}`);
    else if (value.value !== undefined) out.push(value.value);
  }
  return undefined;
}

function insertEntry(map: CelMap, key: Value, value: Value, optional: boolean): CelError | undefined {
  if (mapKey(key) === undefined || typeof key === 'number') return new CelError(`unsupported key type: ${typeNameOf(key)}`);
  if (optional) {
    if (!(value instanceof Optional)) return new CelError(`cannot initialize optional entry '${String(key)}' from non-optional value ${typeNameOf(value)}`);
    if (value.value === undefined) return undefined;
    value = value.value;
  }
  if (map.has(key)) return new CelError(`Failed with repeated key: ${String(key)}`);
  map.set(key, value);
  return undefined;
}

/** What a loop runs over: elements of a list, keys of a map. */
function iteration(value: Value): readonly Value[] | CelError {
  if (isList(value)) return value;
  if (value instanceof CelMap) return value.keys();
  return new CelError(`got '${goTypeName(value)}', expected iterable type`);
}

/** The Go type behind a value, as one upstream error shows it. */
function goTypeName(value: Value): string {
  if (value instanceof OpaqueValue) return `*library.${value.typeName}`;
  const name = typeNameOf(value).replace(/^.*\./, '').replace('null_type', 'null');
  return `types.${name.charAt(0).toUpperCase()}${name.slice(1)}`;
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

function notStrictlyFalse(args: readonly Value[]): Value {
  const [value] = args;
  return typeof value === 'boolean' ? value : true;
}

/** Membership in a list of constants: a set lookup that costs nothing (planner optimisation). */
function setMembership(element: Eval, values: Value): Eval | undefined {
  if (!isList(values)) return undefined;
  const keys = new Set<string>();
  for (const value of values) {
    const key = mapKey(value);
    if (key === undefined || typeof value === 'number') return undefined;
    keys.add(key);
  }
  return (frame) => {
    const value = element(frame);
    if (value instanceof CelError) return value;
    if (value instanceof Uint || typeof value === 'bigint' || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
      return keys.has(mapKey(value) ?? '');
    return false;
  };
}

/**
 * A call that passes errors of its arguments on. Its cost is charged when all arguments were evaluated and, unless the
 * cost is that of the result, before it runs: what costs more than the limit is never begun.
 */
function strictCall(name: string, overload: string, args: readonly Eval[], run: (args: readonly Value[]) => Value): Eval {
  const strict = name !== '@not_strictly_false';
  return (frame) => {
    const values: Value[] = [];
    let failed: CelError | undefined;
    for (const arg of args) {
      const value = arg(frame);
      values.push(value);
      if (strict && failed === undefined && value instanceof CelError) {
        failed = value;
        if (args.length > 2) return failed;
      }
    }
    if (failed !== undefined || !pricedByResult(name)) {
      frame.charge(callCost(name, overload, values, failed ?? null));
      return failed ?? run(values);
    }
    const result = run(values);
    frame.charge(callCost(name, overload, values, result));
    return result;
  };
}

/** Finds the signature for the values at run time. */
function dispatcher(name: string, overloads: readonly Overload[]): (args: readonly Value[]) => Value {
  return (args) => {
    for (const overload of overloads) if (accepts(overload, args)) return overload.run(...args);
    return overloads.some((overload) => overload.kinds.some((kind, i) => kind.is(args[i] ?? null))) && /^[_!]/.test(name)
      ? noSuchOverload()
      : new CelError(noOverloadText(name, args));
  };
}

/** Functions differ in how much they tell when nothing fits: nothing, their name, or the types too. */
function noOverloadText(name: string, args: readonly Value[]): string {
  if (/^(matches|startsWith|endsWith|contains)$/.test(name) && args.length === 2) return 'no such overload';
  return /^[@_!-]|^size$/.test(name) ? `no such overload: ${name}` : `no such overload: ${name}(${args.map(typeNameOf).join(', ')})`;
}
