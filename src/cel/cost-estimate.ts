/** Worst case cost of an expression before it runs (cel-go checker/cost.go). */
import type { CallExpr, ComprehensionExpr, Expr, ListExpr, MapExpr, SelectExpr } from './ast.ts';
import type { Checked } from './checker.ts';
import { type CallEstimate, type CallToEstimate, estimateFunction, type SizedNode } from './cost-functions.ts';
import { add, exactly, multiply, type Range, union, UNKNOWN } from './cost-range.ts';
import { LIST_CREATE_BASE_COST, MAP_CREATE_BASE_COST, STRUCT_CREATE_BASE_COST } from './cost-units.ts';
import { Path, sizeAt } from './cost-sizes.ts';
import { ACCUMULATOR } from './macros.ts';
import * as t from './types.ts';

/** The highest cost that the expression can have; 2^64-1 when there is no bound. */
export function estimateCost(checked: Checked): bigint {
  return new Estimator(checked).cost(checked.expr).max;
}

/** Sizes of the entries of a list or map. */
interface EntrySize {
  readonly container: 'list' | 'map';
  readonly key: Range;
  readonly value: Range;
}

interface LocalVariable {
  readonly path: Path;
  readonly size: Range | undefined;
  readonly entry: EntrySize | undefined;
}

const NOTHING = exactly(0n);
const ONE = exactly(1n);
const NO_PATH = new Path();

class Estimator {
  readonly #checked: Checked;
  /** Access path of each node that has one. */
  readonly #paths = new Map<Expr, Path>();
  readonly #sizes = new Map<Expr, Range>();
  readonly #entries = new Map<Expr, EntrySize>();
  readonly #scope: { readonly name: string; readonly variable: LocalVariable }[] = [];

  constructor(checked: Checked) {
    this.#checked = checked;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case 'literal':
        return NOTHING;
      case 'ident':
        return this.#ident(expr, expr.name);
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return add(this.#sum(expr.fields.map((field) => field.value)), exactly(BigInt(STRUCT_CREATE_BASE_COST)));
      case 'comprehension':
        return isBinding(expr) ? this.#binding(expr) : this.#loop(expr);
    }
  }

  #sum(exprs: readonly Expr[]): Range {
    return exprs.reduce((sum, expr) => add(sum, this.cost(expr)), NOTHING);
  }

  #variable(name: string): LocalVariable | undefined {
    return this.#scope.findLast((candidate) => candidate.name === name)?.variable;
  }

  #ident(expr: Expr, name: string): Range {
    this.#paths.set(expr, this.#variable(name)?.path ?? NO_PATH.by(name));
    return ONE;
  }

  #select(expr: SelectExpr): Range {
    if (this.#checked.references.has(expr)) return ONE;
    const operand = this.cost(expr.operand);
    if (expr.testOnly) return operand;
    this.#paths.set(expr, this.#path(expr.operand).by(expr.field));
    const { kind } = this.#type(expr.operand);
    return kind === 'map' || kind === 'struct' || kind === 'param' ? add(operand, ONE) : operand;
  }

  #type(expr: Expr): t.Type {
    return this.#checked.types.get(expr) ?? t.DYN;
  }

  #path(expr: Expr): Path {
    const variable = expr.kind === 'ident' ? this.#variable(expr.name) : undefined;
    return variable?.path ?? this.#paths.get(expr) ?? NO_PATH;
  }

  /** What is known of the size of a value. */
  #size(expr: Expr): Range | undefined {
    return this.#sizes.get(expr) ?? literalSize(expr) ?? this.#pathSize(expr) ?? typeSize(this.#type(expr)) ?? this.#variableSize(expr);
  }

  #pathSize(expr: Expr): Range | undefined {
    const size = sizeAt(this.#path(expr));
    if (size !== undefined) this.#sizes.set(expr, size);
    return size;
  }

  #variableSize(expr: Expr): Range | undefined {
    return expr.kind === 'ident' ? this.#variable(expr.name)?.size : undefined;
  }

  #entry(expr: Expr): EntrySize | undefined {
    const known = this.#entries.get(expr);
    return known ?? (expr.kind === 'ident' ? this.#variable(expr.name)?.entry : undefined);
  }

  #setEntry(expr: Expr, entry: EntrySize | undefined): void {
    if (entry !== undefined) this.#entries.set(expr, entry);
  }

  #setSize(expr: Expr, size: Range | undefined): void {
    if (size !== undefined) this.#sizes.set(expr, size);
  }

  #node(expr: Expr): SizedNode {
    const path = this.#path(expr);
    const shown = path.steps[0] === ACCUMULATOR ? NO_PATH : path;
    return { path: shown, type: this.#type(expr), literal: expr.kind === 'literal' ? expr.value : undefined, computed: this.#size(expr) };
  }

  #call(expr: CallExpr): Range {
    const name = this.#checked.namespaced.get(expr) ?? expr.name;
    if (name === 'dyn' && expr.args[0] !== undefined) return this.#dyn(expr, expr.args[0]);
    const argCosts = expr.args.map((arg) => this.cost(arg));
    const args = expr.args.map((arg) => this.#node(arg));
    const overloads = this.#checked.overloads.get(expr);
    if (overloads === undefined) return NOTHING;
    const target = expr.target === undefined || this.#checked.namespaced.has(expr) ? undefined : expr.target;
    const targetCost = target === undefined ? NOTHING : this.cost(target);
    const targetNode = target === undefined ? undefined : this.#node(target);
    let cost: Range | undefined;
    let size: Range | undefined;
    for (const { id } of overloads) {
      const estimate = this.#overload(expr, { name, overload: id, target: targetNode, args }, argCosts);
      cost = cost === undefined ? estimate.cost : union(cost, estimate.cost);
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : union(size, estimate.size);
      if (id === 'index_list' || id === 'index_map') size = this.#indexed(expr, id === 'index_list' ? '@items' : '@values');
      size ??= this.#size(expr);
    }
    this.#setSize(expr, size);
    return add(targetCost, cost ?? NOTHING);
  }

  #dyn(expr: CallExpr, arg: Expr): Range {
    const cost = add(ONE, this.cost(arg));
    this.#copySizes(expr, arg);
    return cost;
  }

  #copySizes(to: Expr, from: Expr): void {
    this.#setSize(to, this.#size(from));
    this.#setEntry(to, this.#entry(from));
  }

  #indexed(expr: CallExpr, step: string): Range | undefined {
    const [operand] = expr.args;
    if (operand === undefined) return undefined;
    this.#paths.set(expr, this.#path(operand).by(step));
    return this.#entry(operand)?.value;
  }

  /** The cost of the call by one signature, that of its arguments included. */
  #overload(expr: CallExpr, call: CallToEstimate, argCosts: readonly Range[]): CallEstimate {
    const [first = NOTHING, second = NOTHING, third = NOTHING] = argCosts;
    const all = argCosts.reduce(add, NOTHING);
    switch (call.overload) {
      case 'logical_and':
      case 'logical_or':
        return { cost: { min: first.min, max: add(first, second).max } };
      case 'conditional':
        return this.#conditional(expr, add(first, union(second, third)));
      case 'add_string':
      case 'add_bytes':
      case 'add_list':
        this.#setEntry(expr, this.#unionOfEntries(expr.args[0], expr.args[1]));
        break;
      default:
        break;
    }
    const own = estimateFunction(call);
    return { cost: add(own.cost, all), size: own.size };
  }

  #conditional(expr: CallExpr, cost: Range): CallEstimate {
    const [, whenTrue, whenFalse] = expr.args;
    if (whenTrue === undefined || whenFalse === undefined) return { cost };
    this.#setEntry(expr, this.#unionOfEntries(whenTrue, whenFalse));
    return { cost, size: union(this.#size(whenTrue) ?? UNKNOWN, this.#size(whenFalse) ?? UNKNOWN) };
  }

  #unionOfEntries(left: Expr | undefined, right: Expr | undefined): EntrySize | undefined {
    const a = left === undefined ? undefined : this.#entry(left);
    const b = right === undefined ? undefined : this.#entry(right);
    if (a === undefined || b === undefined) return undefined;
    return { container: a.container, key: union(a.key, b.key), value: union(a.value, b.value) };
  }

  #unionOfSizes(exprs: readonly Expr[]): Range {
    return exprs.length === 0 ? NOTHING : exprs.map((expr) => this.#size(expr) ?? UNKNOWN).reduce(union);
  }

  #list(expr: ListExpr): Range {
    const cost = this.#sum(expr.elements);
    this.#setEntry(expr, { container: 'list', key: ONE, value: this.#unionOfSizes(expr.elements) });
    return add(cost, exactly(BigInt(LIST_CREATE_BASE_COST)));
  }

  #map(expr: MapExpr): Range {
    const cost = this.#sum(expr.entries.flatMap((entry) => [entry.key, entry.value]));
    const key = this.#unionOfSizes(expr.entries.map((entry) => entry.key));
    this.#setEntry(expr, { container: 'map', key, value: this.#unionOfSizes(expr.entries.map((entry) => entry.value)) });
    return add(cost, exactly(BigInt(MAP_CREATE_BASE_COST)));
  }

  #binding(expr: ComprehensionExpr): Range {
    const before = add(this.cost(expr.range), this.cost(expr.init));
    this.#declare(expr.accuVar, expr.init);
    const result = this.cost(expr.result);
    // The result is measured after the name has gone out of scope, as upstream does.
    this.#scope.pop();
    this.#copySizes(expr, expr.result);
    return add(before, result);
  }

  #declare(name: string, value: Expr): void {
    this.#scope.push({ name, variable: { path: this.#path(value), size: this.#size(value), entry: this.#entry(value) } });
  }

  #loop(expr: ComprehensionExpr): Range {
    const before = add(this.cost(expr.range), this.cost(expr.init));
    this.#declare(expr.accuVar, expr.init);
    const outer = this.#scope.length;
    this.#declareIteration(expr);
    const round = add(this.cost(expr.condition), this.cost(expr.step));
    this.#scope.length = outer;
    const result = this.cost(expr.result);
    this.#scope.pop();
    const times = this.#size(expr.range) ?? UNKNOWN;
    this.#sizeOfLoop(expr, times);
    return [before, result, multiply(times, round)].reduce(add);
  }

  #declareIteration(expr: ComprehensionExpr): void {
    const entry = this.#entry(expr.range);
    const isList = (entry?.container ?? this.#type(expr.range).kind) === 'list';
    const path = this.#path(expr.range);
    const push = (name: string, step: string, size: Range | undefined): void => {
      this.#scope.push({ name, variable: { path: path.by(step), size, entry: undefined } });
    };
    if (expr.iterVar2 === undefined) {
      if (isList) push(expr.iterVar, '@items', entry?.value);
      else push(expr.iterVar, '@keys', entry?.key);
      return;
    }
    push(expr.iterVar, isList ? '@indices' : '@keys', entry?.key);
    push(expr.iterVar2, isList ? '@items' : '@values', entry?.value);
  }

  /** Loops that build a list or map yield at most one entry per round; loops that fold yield what they fold into. */
  #sizeOfLoop(expr: ComprehensionExpr, times: Range): void {
    if (expr.init.kind === 'literal') this.#setSize(expr, this.#size(expr.init));
    if (expr.init.kind !== 'list' && expr.init.kind !== 'map') return;
    this.#setSize(expr, times);
    this.#setEntry(expr, this.#entry(expr.step));
  }
}

/** Whether the loop only gives a name to a value: what cel.bind and its kin expand to. */
function isBinding({ range, condition }: ComprehensionExpr): boolean {
  return range.kind === 'list' && range.elements.length === 0 && condition.kind === 'literal' && condition.value === false;
}

function literalSize(expr: Expr): Range | undefined {
  if (expr.kind === 'list') return exactly(BigInt(expr.elements.length));
  if (expr.kind === 'map') return exactly(BigInt(expr.entries.length));
  if (expr.kind !== 'literal') return undefined;
  if (typeof expr.value === 'string') return exactly(BigInt(Array.from(expr.value).length));
  return expr.value instanceof Uint8Array ? exactly(BigInt(expr.value.length)) : ONE;
}

const SCALARS: ReadonlySet<t.TypeKind> = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint']);

function typeSize(type: t.Type): Range | undefined {
  const inner = t.isOptionalType(type) ? t.at(type, 0) : type;
  if (t.isOptionalType(inner)) return typeSize(inner);
  return SCALARS.has(inner.kind) ? ONE : undefined;
}
