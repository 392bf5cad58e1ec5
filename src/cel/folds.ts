/** Loops: every macro that iterates or gives a name to a value (cel-go interpreter, evalFold). */
import type { ComprehensionExpr, Expr } from './ast.ts';
import { goTypeName } from './go-values.ts';
import type { Eval, Frame, Plan } from './plan.ts';
import { ACCUMULATOR } from './macros.ts';
import { accessedAnew, CelError, CelMap, ConcatList, GrowingList, GrowingMap, isList, listItems, noSuchOverload, type Value } from './values.ts';

/** The variables in scope while a tree is compiled, each with a slot in the frame. */
export class Scope {
  readonly #variables: { readonly name: string; readonly read: Eval }[] = [];
  #slots = 0;

  /** How the innermost variable of the name is read; undefined when there is none. */
  read(name: string): Eval | undefined {
    return this.#variables.findLast((variable) => variable.name === name)?.read;
  }

  /** A slot that nobody else uses. */
  slot(): number {
    return this.#slots++;
  }

  /** Brings a variable into scope. */
  declare(name: string, read: Eval): void {
    this.#variables.push({ name, read });
  }

  /** Takes the last variables out of scope. */
  leave(count: number): void {
    this.#variables.length -= count;
  }
}

/** Stands in the accumulator's slot until somebody looks at it: only then it is initialised, in the scope outside the loop. */
const UNTOUCHED = new CelError('accumulator was not initialised');

/** Plans a loop; `plan` plans its parts. */
export function foldPlan(expr: ComprehensionExpr, scope: Scope, plan: (expr: Expr) => Plan): Plan {
  const quantifier = quantifierOf(expr);
  return quantifier === undefined ? loopPlan(expr, scope, plan) : quantifierPlan(expr, quantifier, scope, plan);
}

/** What all() and exists() expand to: the value that ends the loop, and the predicate. */
interface Quantifier {
  readonly deciding: boolean;
  readonly predicate: Expr;
}

/** Recognises the expansion of all() and exists() over one variable, which no expression can spell otherwise. */
function quantifierOf({ accuVar, iterVar2, init, step, condition }: ComprehensionExpr): Quantifier | undefined {
  if (accuVar !== ACCUMULATOR || iterVar2 !== undefined || init.kind !== 'literal' || typeof init.value !== 'boolean') return undefined;
  if (step.kind !== 'call' || condition.kind !== 'call' || condition.name !== '@not_strictly_false') return undefined;
  const predicate = step.name === '_&&_' || step.name === '_||_' ? step.args[1] : undefined;
  return predicate === undefined ? undefined : { deciding: !init.value, predicate };
}

/** The loop without its scaffolding, which is still charged: looking at the accumulator, its negation, the condition, and the result. */
function quantifierPlan(expr: ComprehensionExpr, { deciding, predicate }: Quantifier, scope: Scope, plan: (expr: Expr) => Plan): Plan {
  const range = plan(expr.range).eval;
  const slot = scope.slot();
  scope.declare(expr.iterVar, (frame) => frame.variables[slot] ?? null);
  const test = plan(predicate).eval;
  scope.leave(1);
  const scaffolding = deciding ? 3 : 2;
  return {
    eval: (frame) => {
      const over = range(frame);
      if (over instanceof CelError) return over;
      const items = over instanceof CelMap ? over.keys() : listItems(over);
      if (items === undefined) return new CelError(`got '${goTypeName(over)}', expected iterable type`);
      let result: boolean | CelError = !deciding;
      for (let i = 0; i < items.length; i++) {
        for (let units = scaffolding; units > 0; units--) frame.charge(1);
        if (result === deciding) break;
        frame.charge(1);
        frame.variables[slot] = items[i] ?? null;
        result = decided(result, test(frame), deciding);
      }
      frame.charge(1);
      return result;
    },
  };
}

/** `&&` or `||` of the accumulator, which has not decided yet, and a test. */
function decided(before: boolean | CelError, value: Value, deciding: boolean): boolean | CelError {
  if (value === deciding) return deciding;
  if (before instanceof CelError || value === !deciding) return before;
  return value instanceof CelError ? value : noSuchOverload();
}

function loopPlan(expr: ComprehensionExpr, scope: Scope, plan: (expr: Expr) => Plan): Plan {
  const init = plan(expr.init).eval;
  const range = plan(expr.range).eval;
  const [accu, first, second] = [scope.slot(), scope.slot(), scope.slot()];
  scope.declare(expr.accuVar, (frame) => readAccumulator(frame, accu, init));
  scope.declare(expr.iterVar, (frame) => frame.variables[first] ?? null);
  if (expr.iterVar2 !== undefined) scope.declare(expr.iterVar2, (frame) => frame.variables[second] ?? null);
  const condition = plan(expr.condition).eval;
  const step = plan(expr.step).eval;
  scope.leave(expr.iterVar2 === undefined ? 1 : 2);
  const result = plan(expr.result).eval;
  scope.leave(1);
  const rounds = expr.iterVar2 === undefined ? singles(first) : pairs(first, second);
  const round = (frame: Frame): boolean => {
    if (condition(frame) === false) return false;
    frame.variables[accu] = step(frame);
    return true;
  };
  return {
    eval: (frame) => {
      const over = range(frame);
      if (over instanceof CelError) return over;
      frame.variables[accu] = UNTOUCHED;
      const failed = rounds(frame, over, round);
      return failed ?? frozen(result(frame));
    },
  };
}

function readAccumulator(frame: Frame, slot: number, init: Eval): Value {
  const value = frame.variables[slot] ?? null;
  if (value !== UNTOUCHED) return value;
  const initial = growing(init(frame));
  frame.variables[slot] = initial;
  return initial;
}

/** What begins empty may grow in place. */
function growing(value: Value): Value {
  if (listItems(value)?.length === 0) return new GrowingList();
  return value instanceof CelMap && value.size === 0 ? new GrowingMap() : value;
}

/** A result that does not grow any more. */
function frozen(value: Value): Value {
  return value instanceof GrowingList ? Array.from(value) : value;
}

/** Goes through a range, binding its variables; answers why it cannot. `round` tells whether to go on. */
type Rounds = (frame: Frame, over: Value, round: (frame: Frame) => boolean) => CelError | undefined;

function singles(slot: number): Rounds {
  return (frame, over, round) => {
    const items = over instanceof CelMap ? over.keys() : listItems(over);
    if (items === undefined) return new CelError(`got '${goTypeName(over)}', expected iterable type`);
    for (const item of items) {
      frame.variables[slot] = item;
      if (!round(frame)) break;
    }
    return undefined;
  };
}

function pairs(first: number, second: number): Rounds {
  return (frame, over, round) => {
    if (!(over instanceof CelMap) && !isList(over) && !(over instanceof ConcatList)) {
      return new CelError(`unsupported comprehension range type: ${goTypeName(over)}`);
    }
    for (const [key, value] of over instanceof CelMap ? entriesOf(over) : (listItems(over) ?? []).entries()) {
      frame.variables[first] = typeof key === 'number' && !(over instanceof CelMap) ? BigInt(key) : key;
      frame.variables[second] = value;
      if (!round(frame)) break;
    }
    return undefined;
  };
}

function* entriesOf(map: CelMap): Iterable<readonly [Value, Value]> {
  for (const { key, value } of map.entries()) yield [key, accessedAnew(value)];
}
