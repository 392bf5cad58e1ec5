/** The syntax tree of an expression: what the parser builds, the checker judges and the compiler turns into closures. */
import type { Value } from './values.ts';

/** A node of the tree. `at` is the position it is reported under, counted in code points from the start of the source. */
export type Expr = LiteralExpr | IdentExpr | SelectExpr | CallExpr | ListExpr | MapExpr | StructExpr | ComprehensionExpr;

/** A constant. */
export interface LiteralExpr {
  readonly kind: 'literal';
  readonly at: number;
  readonly value: Value;
}

/** A name; qualified names are selects until the checker finds that they denote one thing. */
export interface IdentExpr {
  readonly kind: 'ident';
  readonly at: number;
  readonly name: string;
}

/** `operand.field`, or with `testOnly` the test `has(operand.field)`. */
export interface SelectExpr {
  readonly kind: 'select';
  readonly at: number;
  readonly operand: Expr;
  readonly field: string;
  readonly testOnly: boolean;
}

/** A call; operators are calls of functions such as `_&&_`. */
export interface CallExpr {
  readonly kind: 'call';
  readonly at: number;
  readonly name: string;
  readonly target?: Expr | undefined;
  readonly args: readonly Expr[];
}

/** `[a, ?b]`; `optional` holds the indices of elements that may be absent. */
export interface ListExpr {
  readonly kind: 'list';
  readonly at: number;
  readonly elements: readonly Expr[];
  readonly optional: ReadonlySet<number>;
}

/** One `key: value` of a map literal; with `optional` the value is left out when absent. */
export interface MapEntry {
  readonly at: number;
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
}

/** `{k: v}`. */
export interface MapExpr {
  readonly kind: 'map';
  readonly at: number;
  readonly entries: readonly MapEntry[];
}

/** One `name: value` of a message; with `optional` the field is left out when absent. */
export interface StructField {
  readonly at: number;
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
}

/** `Type{field: value}`. */
export interface StructExpr {
  readonly kind: 'struct';
  readonly at: number;
  readonly name: string;
  readonly fields: readonly StructField[];
}

/** A loop over `range` that folds into `accuVar`; every macro that iterates or binds becomes one. */
export interface ComprehensionExpr {
  readonly kind: 'comprehension';
  readonly at: number;
  readonly range: Expr;
  readonly iterVar: string;
  readonly iterVar2?: string | undefined;
  readonly accuVar: string;
  readonly init: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

/** The children of a node in the order of their evaluation. */
export function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'literal':
    case 'ident':
      return [];
    case 'select':
      return [expr.operand];
    case 'call':
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case 'list':
      return expr.elements;
    case 'map':
      return expr.entries.flatMap((entry) => [entry.key, entry.value]);
    case 'struct':
      return expr.fields.map((field) => field.value);
    case 'comprehension':
      return [expr.range, expr.init, expr.condition, expr.step, expr.result];
  }
}

/** `a.b.c` as a dotted name when the node is nothing but identifiers and selects. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.testOnly) return undefined;
  const prefix = qualifiedName(expr.operand);
  return prefix === undefined ? undefined : `${prefix}.${expr.field}`;
}

/** A call of a function, or of an operator by its name. */
export function call(at: number, name: string, args: readonly Expr[]): CallExpr {
  return { kind: 'call', at, name, args };
}

/** A balanced tree over the terms, so that long chains do not nest deeply (parser/helper.go, logicManager). */
export function balanced(name: string, terms: readonly Expr[], places: readonly number[]): Expr {
  const build = (low: number, high: number): Expr => {
    const middle = (low + high + 1) >> 1;
    const left = middle === low ? terms[middle] : build(low, middle - 1);
    const right = middle === high ? terms[middle + 1] : build(middle + 1, high);
    return call(places[middle] ?? 0, name, left === undefined || right === undefined ? [] : [left, right]);
  };
  const [only] = terms;
  return terms.length === 1 && only !== undefined ? only : build(0, places.length - 1);
}
