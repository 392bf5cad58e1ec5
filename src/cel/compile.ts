/** Turns a checked tree into closures that count their cost as cel-go's interpreter does (interpreter/planner.go). */
import { type CallExpr, children, type Expr, type ListExpr, type MapExpr, type SelectExpr, type StructExpr } from './ast.ts';
import { callPlan, InstantiationError } from './calls.ts';
import type { Checked } from './checker.ts';
import { LIST_CREATE_BASE_COST, MAP_CREATE_BASE_COST, STRUCT_CREATE_BASE_COST } from './cost-units.ts';
import { foldPlan, Scope } from './folds.ts';
import { goText } from './go-values.ts';
import { makeMessage, MESSAGES } from './messages.ts';
import {
  attributeOf,
  attributePlan,
  computedQualifier,
  constant,
  type Eval,
  extended,
  fixedQualifier,
  type Frame,
  pathFrom,
  type Plan,
  presencePlan,
  presenceQualifier,
} from './plan.ts';
import { accessedAnew, CelError, CelMap, Optional, Panic, TypeValue, type Value } from './values.ts';

/** A program ready to run, or why it cannot be made. */
export type Program = { readonly ok: true; readonly run: Eval } | { readonly ok: false; readonly error: string };

/** Compiles a checked expression. */
export function compile(checked: Checked): Program {
  try {
    return { ok: true, run: new Compiler(checked).plan(checked.expr).eval };
  } catch (thrown) {
    // Upstream carries out constant parts here; where it panics on them, dray refuses the expression.
    if (thrown instanceof InstantiationError || thrown instanceof Panic) return { ok: false, error: thrown.message };
    throw thrown;
  }
}

class Compiler {
  readonly #checked: Checked;
  readonly #scope = new Scope();
  /** Whether the same object may stand for what upstream makes anew each time. */
  readonly #mayRemember: boolean;

  constructor(checked: Checked) {
    this.#checked = checked;
    this.#mayRemember = !hasCalculatedKeys(checked.expr);
  }

  plan(expr: Expr): Plan {
    const reference = this.#checked.references.get(expr);
    if (reference !== undefined) return constant(named(reference));
    switch (expr.kind) {
      case 'literal':
        return constant(expr.value);
      case 'ident':
        // Upstream takes a variable that holds a type for the name of one.
        if (this.#checked.types.get(expr)?.kind === 'type') throw new InstantiationError(`reference to undefined type: ${expr.name.replace(/^\./, '')}`);
        return attributePlan(pathFrom(this.#scope.read(expr.name) ?? ((frame) => frame.device)));
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return this.#struct(expr);
      case 'comprehension':
        return foldPlan(expr, this.#scope, (part) => this.plan(part));
    }
  }

  #select(expr: SelectExpr): Plan {
    const attribute = attributeOf(this.plan(expr.operand));
    if (expr.testOnly) return presencePlan(extended(attribute, presenceQualifier(expr.field)));
    return this.#indexedBy(attribute, constant(expr.field), false);
  }

  #indexedBy(attribute: ReturnType<typeof attributeOf>, index: Plan, optional: boolean): Plan {
    const qualifier = index.constant === undefined ? computedQualifier(index, optional) : fixedQualifier(index.constant, optional);
    if (qualifier instanceof CelError) throw new InstantiationError(qualifier.message);
    return this.#accessed(attributePlan(extended(attribute, qualifier)));
  }

  /** Each access to a list of a device gives a list of its own, where that can be told. */
  #accessed(plan: Plan): Plan {
    return this.#mayRemember ? plan : { ...plan, eval: (frame) => accessedAnew(plan.eval(frame)) };
  }

  #call(expr: CallExpr): Plan {
    const namespaced = this.#checked.namespaced.get(expr);
    const name = namespaced ?? expr.name.replace(/^\./, '');
    const args = expr.target === undefined || namespaced !== undefined ? expr.args : [expr.target, ...expr.args];
    const plans = args.map((arg) => this.plan(arg));
    const [first, second, third] = plans;
    if (first !== undefined && second !== undefined) {
      if (name === '_[_]') return this.#indexedBy(attributeOf(first), second, false);
      if (name === '_[?_]' || name === '_?._') return this.#indexedBy(attributeOf(first), second, true);
      if (name === '_?_:_' && third !== undefined) {
        return this.#accessed(attributePlan({ kind: 'conditional', condition: first.eval, truthy: attributeOf(second), falsy: attributeOf(third) }));
      }
    }
    const declaration = this.#checked.declarations.get(expr);
    if (declaration === undefined) throw new InstantiationError(`no such overload: ${name}`);
    const candidates = this.#checked.overloads.get(expr) ?? [];
    return callPlan({ name, declaration, candidates, args: plans, mayRemember: this.#mayRemember });
  }

  #list({ elements, optional }: ListExpr): Plan {
    const plans = elements.map((element) => this.plan(element));
    const build = (read: (plan: Plan) => Value): Value => {
      const values: Value[] = [];
      for (let i = 0; i < plans.length; i++) {
        const plan = plans[i];
        let value = plan === undefined ? null : read(plan);
        if (value instanceof CelError) return value;
        if (optional.has(i)) {
          if (!(value instanceof Optional)) return new CelError(`cannot initialize optional list element from non-optional value ${goText(value)}`);
          if (value.value === undefined) continue;
          value = value.value;
        }
        values.push(value);
      }
      return values;
    };
    return constructed(plans, build, LIST_CREATE_BASE_COST);
  }

  #map({ entries }: MapExpr): Plan {
    const plans = entries.map((entry) => ({ key: this.plan(entry.key), value: this.plan(entry.value), optional: entry.optional }));
    const build = (read: (plan: Plan) => Value): Value => {
      const map = new CelMap();
      for (const entry of plans) {
        const key = read(entry.key);
        if (key instanceof CelError) return key;
        const value = read(entry.value);
        if (value instanceof CelError) return value;
        const failed = insertEntry(map, key, value, entry.optional);
        if (failed !== undefined) return failed;
      }
      return map;
    };
    return constructed(
      plans.flatMap((entry) => [entry.key, entry.value]),
      build,
      MAP_CREATE_BASE_COST,
    );
  }

  #struct(expr: StructExpr): Plan {
    const plans = expr.fields.map((field) => ({ ...field, plan: this.plan(field.value) }));
    const build = (read: (plan: Plan) => Value): Value => {
      const fields = new CelMap();
      for (const field of plans) {
        const value = read(field.plan);
        if (value instanceof CelError) return value;
        const failed = insertEntry(fields, field.name, value, field.optional);
        if (failed !== undefined) return failed;
      }
      return makeMessage(expr.name.replace(/^\./, ''), fields);
    };
    return {
      eval: (frame) =>
        charged(
          frame,
          build((plan) => plan.eval(frame)),
          STRUCT_CREATE_BASE_COST,
        ),
    };
  }
}

/** Whether a map is spelled whose keys are not all constants: two quantities or URLs are two keys, however equal, and one is one. */
function hasCalculatedKeys(expr: Expr): boolean {
  if (expr.kind === 'map' && expr.entries.some((entry) => entry.key.kind !== 'literal')) return true;
  return children(expr).some(hasCalculatedKeys);
}

/** The value of a name; messages that turn into plain values have no type to name. */
function named(reference: Value): Value {
  if (!(reference instanceof TypeValue) || MESSAGES.get(reference.name)?.isValue !== undefined || !MESSAGES.has(reference.name)) return reference;
  throw new InstantiationError(`reference to undefined type: ${reference.name}`);
}

/** A list or map: made beforehand when all its parts are constants. */
function constructed(parts: readonly Plan[], build: (read: (plan: Plan) => Value) => Value, cost: number): Plan {
  if (parts.every((plan) => plan.constant !== undefined)) {
    const known = orPanic(() => build((plan) => plan.constant ?? null));
    return known instanceof Panic ? { eval: () => panic(known) } : constant(known);
  }
  return {
    eval: (frame) =>
      charged(
        frame,
        build((plan) => plan.eval(frame)),
        cost,
      ),
  };
}

function charged(frame: Frame, value: Value, cost: number): Value {
  frame.charge(cost);
  return value;
}

function orPanic(build: () => Value): Value | Panic {
  try {
    return build();
  } catch (thrown) {
    if (thrown instanceof Panic) return thrown;
    throw thrown;
  }
}

function panic(known: Panic): never {
  throw known;
}

/** Entries that come again replace what was there; an absent optional one removes it. */
function insertEntry(map: CelMap, key: Value, value: Value, optional: boolean): CelError | undefined {
  if (!optional) map.set(key, value);
  else if (!(value instanceof Optional)) return new CelError(`cannot initialize optional entry '${goText(key)}' from non-optional value ${goText(value)}`);
  else if (value.value === undefined) map.delete(key);
  else map.set(key, value.value);
  return undefined;
}
