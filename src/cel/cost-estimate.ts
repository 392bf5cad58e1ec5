/** Worst case cost of an expression before it runs (cel-go checker/cost.go with Kubernetes' sizes). */
import type { CallExpr, ComprehensionExpr, Expr, ListExpr, MapExpr, SelectExpr } from './ast.ts';
import type { Checked } from './checker.ts';
import { estimateCall } from './cost-functions.ts';
import { addCost, type Estimate, exactly, MAX, multiplyCost, type Range, type SizedNode, unionCost, unknownSize } from './cost-range.ts';
import { LIST_CREATE_BASE_COST, MAP_CREATE_BASE_COST } from './cost-runtime.ts';
import * as t from './types.ts';

/** The highest cost that the expression can have; 2^64-1 when there is no bound. */
export function estimateCost(checked: Checked): bigint {
  const cost = new Estimator(checked).cost(checked.expr);
  return cost.max;
}

/** Bounds of sizes under `device` (dynamic-resource-allocation/cel/compile.go). */
const DRIVER_NAME_MAX_LENGTH = 63n;
const DOMAIN_MAX_LENGTH = 63n;
const ID_MAX_LENGTH = 32n;
const ATTRIBUTE_VALUE_MAX = 64n;
const ATTRIBUTES_AND_CAPACITIES_MAX = 32n;

const upTo = (max: bigint): Range => ({ min: 0n, max });

/** Sizes by access path; `@items` and `@values` are the elements of what is iterated or indexed, `@keys` its keys. */
const SIZES: Readonly<Record<string, Range>> = {
  'device.driver': upTo(DRIVER_NAME_MAX_LENGTH),
  'device.attributes': upTo(ATTRIBUTES_AND_CAPACITIES_MAX),
  'device.attributes.@keys': upTo(DOMAIN_MAX_LENGTH),
  'device.attributes.@values': upTo(ATTRIBUTES_AND_CAPACITIES_MAX),
  'device.attributes.@values.@keys': upTo(ID_MAX_LENGTH),
  'device.attributes.@values.@values': upTo(ATTRIBUTE_VALUE_MAX),
  'device.attributes.@values.@values.@items': upTo(ATTRIBUTE_VALUE_MAX),
  'device.capacity': upTo(ATTRIBUTES_AND_CAPACITIES_MAX),
  'device.capacity.@keys': upTo(DOMAIN_MAX_LENGTH),
  'device.capacity.@values': upTo(ATTRIBUTES_AND_CAPACITIES_MAX),
  'device.capacity.@values.@keys': upTo(ID_MAX_LENGTH),
  'device.capacity.@values.@values': upTo(ATTRIBUTE_VALUE_MAX),
};

class Estimator {
  readonly #checked: Checked;
  /** Access path of each node that has one. */
  readonly #paths = new Map<Expr, readonly string[]>();
  readonly #computed = new Map<Expr, Range>();
  readonly #scopes: { readonly name: string; readonly path: readonly string[] | undefined; readonly size: Range | undefined }[] = [];

  constructor(checked: Checked) {
    this.#checked = checked;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case 'literal':
        return exactly(0n);
      case 'ident':
        return this.#ident(expr);
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return exactly(0n);
      case 'comprehension':
        return this.#comprehension(expr);
    }
  }

  #ident(expr: Expr & { kind: 'ident' }): Range {
    if (this.#checked.typeReferences.has(expr)) return exactly(1n);
    const scope = this.#scopes.findLast((candidate) => candidate.name === expr.name);
    if (scope === undefined) this.#paths.set(expr, [expr.name]);
    else {
      if (scope.path !== undefined) this.#paths.set(expr, scope.path);
      if (scope.size !== undefined) this.#computed.set(expr, scope.size);
    }
    return exactly(1n);
  }

  #select(expr: SelectExpr): Range {
    if (this.#checked.typeReferences.has(expr)) return exactly(1n);
    const operand = this.cost(expr.operand);
    if (expr.testOnly) return operand;
    this.#extend(expr, expr.operand, this.#type(expr.operand).kind === 'map' ? '@values' : expr.field);
    return addCost(operand, exactly(1n));
  }

  #extend(expr: Expr, operand: Expr, step: string): void {
    const path = this.#paths.get(operand);
    if (path !== undefined) this.#paths.set(expr, [...path, step]);
  }

  #type(expr: Expr): t.Type {
    return this.#checked.types.get(expr) ?? t.DYN;
  }

  /** What is known of the size of a node. */
  node(expr: Expr): SizedNode {
    const type = this.#type(expr);
    const literal = expr.kind === 'literal' ? expr.value : undefined;
    return { expr, type, literal, computed: this.#size(expr), size: this.#size(expr) ?? unknownSize(type) };
  }

  #size(expr: Expr): Range | undefined {
    const computed = this.#computed.get(expr);
    if (computed !== undefined) return computed;
    if (expr.kind === 'literal') {
      if (typeof expr.value === 'string') return exactly(BigInt(Array.from(expr.value).length));
      if (expr.value instanceof Uint8Array) return exactly(BigInt(expr.value.length));
      return exactly(1n);
    }
    if (expr.kind === 'list') return exactly(BigInt(expr.elements.length));
    if (expr.kind === 'map') return exactly(BigInt(expr.entries.length));
    const path = this.#paths.get(expr);
    return path === undefined ? undefined : SIZES[path.join('.')];
  }

  #call(expr: CallExpr): Range {
    const receiver = expr.target === undefined || this.#checked.namespaced.has(expr) ? undefined : expr.target;
    const args = receiver === undefined ? expr.args : [receiver, ...expr.args];
    const argCosts = args.map((arg) => this.cost(arg));
    const name = this.#checked.namespaced.get(expr) ?? expr.name;
    if (name === '_[_]' || name === '_[?_]' || name === '_?._') this.#indexPath(expr, args);
    const overloads = (this.#checked.overloads.get(expr) ?? []).map((overload) => overload.id);
    const nodes = args.map((arg) => this.node(arg));
    const estimates = (overloads.length === 0 ? [''] : overloads).map((overload) => estimateCall({ name, overload, nodes, argCosts }));
    const total = estimates.map((estimate) => estimate.cost).reduce(unionCost);
    const size = estimates.every((estimate: Estimate) => estimate.size !== undefined)
      ? estimates.map((estimate) => estimate.size ?? exactly(0n)).reduce(unionCost)
      : undefined;
    if (size !== undefined) this.#computed.set(expr, size);
    return total;
  }

  #indexPath(expr: CallExpr, args: readonly Expr[]): void {
    const [operand] = args;
    if (operand === undefined) return;
    const { kind } = this.#type(operand);
    this.#extend(expr, operand, kind === 'list' ? '@items' : kind === 'struct' ? '' : '@values');
  }

  #list(expr: ListExpr): Range {
    const cost = expr.elements.map((element) => this.cost(element)).reduce(addCost, exactly(0n));
    return addCost(cost, exactly(BigInt(LIST_CREATE_BASE_COST)));
  }

  #map(expr: MapExpr): Range {
    const cost = expr.entries.flatMap((entry) => [this.cost(entry.key), this.cost(entry.value)]).reduce(addCost, exactly(0n));
    return addCost(cost, exactly(BigInt(MAP_CREATE_BASE_COST)));
  }

  #comprehension(expr: ComprehensionExpr): Range {
    const range = this.cost(expr.range);
    const init = this.cost(expr.init);
    const outer = this.#scopes.length;
    this.#scopes.push({ name: expr.accuVar, path: this.#paths.get(expr.init), size: this.#size(expr.init) });
    this.#declareIteration(expr);
    const condition = this.cost(expr.condition);
    const step = this.cost(expr.step);
    this.#scopes.length = outer + 1;
    const result = this.cost(expr.result);
    this.#scopes.length = outer;
    const times = this.node(expr.range).size;
    const resultSize = this.#resultSize(expr, times);
    if (resultSize !== undefined) this.#computed.set(expr, resultSize);
    return [range, init, multiplyCost(times, addCost(condition, step)), result].reduce(addCost);
  }

  #declareIteration(expr: ComprehensionExpr): void {
    const type = this.#type(expr.range);
    const path = this.#paths.get(expr.range);
    const into = (step: string): readonly string[] | undefined => (path === undefined ? undefined : [...path, step]);
    const first = type.kind === 'map' ? into('@keys') : into('@items');
    const second = type.kind === 'map' ? into('@values') : into('@items');
    if (expr.iterVar2 === undefined) this.#scopes.push({ name: expr.iterVar, path: first, size: undefined });
    else {
      this.#scopes.push({ name: expr.iterVar, path: type.kind === 'list' ? undefined : first, size: type.kind === 'list' ? exactly(1n) : undefined });
      this.#scopes.push({ name: expr.iterVar2, path: second, size: undefined });
    }
  }

  /** Loops that build a list or map yield at most one entry per round; loops that fold yield what they fold into. */
  #resultSize(expr: ComprehensionExpr, times: Range): Range | undefined {
    const { kind } = this.#type(expr);
    if (kind === 'list' && expr.step.kind === 'call') return expr.step.name === '_?_:_' ? { min: 0n, max: times.max } : times;
    if (kind === 'bool') return exactly(1n);
    return times.max === MAX ? undefined : kind === 'map' && expr.step.kind === 'call' ? { min: 0n, max: times.max } : this.#size(expr.result);
  }
}
