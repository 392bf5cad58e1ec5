/** The type checker: resolves names and overloads and gives every node its static type (cel-go checker.go). */
import {
  type CallExpr,
  type ComprehensionExpr,
  type Expr,
  type IdentExpr,
  type ListExpr,
  type MapExpr,
  qualifiedName,
  type SelectExpr,
  type StructExpr,
  type StructField,
} from './ast.ts';
import type { Environment, FunctionDeclaration, Overload } from './declarations.ts';
import { CONSTANTS, MESSAGES } from './messages.ts';
import type { ErrorList } from './source.ts';
import * as t from './types.ts';
import type { Type } from './types.ts';
import { Mapping } from './types.ts';
import { CelError, TypeValue, Uint, type Value } from './values.ts';

/** Types that have a name in expressions, but no value for it: they pass the check, and upstream cannot make a program of them. */
const DECLARED_ONLY: ReadonlySet<string> = new Set(['timestamp', 'duration']);

/** What the checker found out: the type of each node, the signatures that each call may mean, and names that denote values. */
export interface Checked {
  readonly expr: Expr;
  readonly types: ReadonlyMap<Expr, Type>;
  readonly declarations: ReadonlyMap<Expr, FunctionDeclaration>;
  readonly overloads: ReadonlyMap<Expr, readonly Overload[]>;
  /** Calls `a.b.f(x)` of a function named `a.b.f`, which have no receiver. */
  readonly namespaced: ReadonlyMap<Expr, string>;
  /** Names of types and constants with their values. */
  readonly references: ReadonlyMap<Expr, Value>;
}

/** Checks the tree; undefined after recording errors. */
export function check(expr: Expr, environment: Environment, errors: ErrorList): Checked | undefined {
  const checker = new Checker(environment, errors);
  checker.visit(expr);
  return errors.size === 0 ? checker.finish(expr) : undefined;
}

class Checker {
  readonly #environment: Environment;
  readonly #errors: ErrorList;
  readonly #types = new Map<Expr, Type>();
  readonly #overloads = new Map<Expr, readonly Overload[]>();
  readonly #namespaced = new Map<Expr, string>();
  readonly #declarations = new Map<Expr, FunctionDeclaration>();
  readonly #references = new Map<Expr, Value>();
  readonly #mapping = new Mapping();
  readonly #scopes: Map<string, Type>[] = [];
  #fresh = 0;

  constructor(environment: Environment, errors: ErrorList) {
    this.#environment = environment;
    this.#errors = errors;
  }

  finish(expr: Expr): Checked {
    const types = new Map<Expr, Type>();
    for (const [node, type] of this.#types) types.set(node, this.#mapping.substitute(type, true));
    return { expr, types, declarations: this.#declarations, overloads: this.#overloads, namespaced: this.#namespaced, references: this.#references };
  }

  visit(expr: Expr): Type {
    const type = this.#infer(expr);
    this.#types.set(expr, type);
    return type;
  }

  #infer(expr: Expr): Type {
    switch (expr.kind) {
      case 'literal':
        return literalType(expr.value);
      case 'ident':
        return this.#ident(expr);
      case 'select':
        return this.#select(expr);
      case 'call':
        return expr.name === '_?._' ? this.#optionalSelect(expr) : this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return this.#struct(expr);
      case 'comprehension':
        return this.#comprehension(expr);
    }
  }

  #undeclared(at: number, name: string): Type {
    this.#errors.add(at, `undeclared reference to '${name}' (in container '')`);
    return t.ERROR;
  }

  #local(name: string): Type | undefined {
    return this.#scopes.findLast((scope) => scope.has(name))?.get(name);
  }

  /** The type of a name known everywhere; a type's or constant's value is noted for the node that spells it. */
  #global(expr: Expr, spelled: string): Type | undefined {
    const name = spelled.replace(/^\./, '');
    if (name === 'device') return t.DEVICE;
    const value = CONSTANTS.get(name);
    if (value !== undefined) this.#references.set(expr, value);
    if (value !== undefined) return t.INT;
    const named = this.#environment.typeNames.get(name) ?? MESSAGES.get(name)?.type;
    if (named === undefined) return undefined;
    if (!DECLARED_ONLY.has(name)) this.#references.set(expr, new TypeValue(name));
    return named === t.TYPE ? t.typeOf(t.TYPE) : t.typeOf(named);
  }

  #ident(expr: IdentExpr): Type {
    return this.#local(expr.name) ?? this.#global(expr, expr.name) ?? this.#undeclared(expr.at, expr.name);
  }

  #select(expr: SelectExpr): Type {
    const name = qualifiedName(expr);
    if (name !== undefined && this.#local(name.slice(0, name.indexOf('.', 1))) === undefined) {
      const type = this.#global(expr, name);
      if (type !== undefined) return type;
    }
    const operand = this.#mapping.substitute(this.visit(expr.operand), false);
    const optional = t.isOptionalType(operand);
    const field = this.#field(expr.at, optional ? t.at(operand, 0) : operand, expr.field);
    if (expr.testOnly) return t.BOOL;
    return this.#mapping.substitute(optional ? t.optionalOf(field) : field, false);
  }

  #optionalSelect(expr: CallExpr): Type {
    const [operandExpr, fieldExpr] = expr.args;
    if (operandExpr === undefined || fieldExpr?.kind !== 'literal') return t.ERROR;
    this.#types.set(fieldExpr, t.STRING);
    const operand = this.#mapping.substitute(this.visit(operandExpr), false);
    const inner = t.isOptionalType(operand) ? t.at(operand, 0) : operand;
    const declaration = this.#environment.functions.get(expr.name);
    if (declaration !== undefined) {
      this.#declarations.set(expr, declaration);
      this.#overloads.set(expr, declaration.overloads);
    }
    return this.#mapping.substitute(t.optionalOf(this.#field(expr.at, inner, String(fieldExpr.value))), false);
  }

  #field(at: number, operand: Type, field: string): Type {
    const target = this.#mapping.substitute(operand, false);
    switch (target.kind) {
      case 'map':
        return t.at(target, 1);
      case 'struct':
        return this.#fieldType(at, target.name, field);
      case 'param':
        this.#mapping.assignable(t.DYN, target);
        return t.DYN;
      case 'dyn':
      case 'any':
      case 'error':
        return t.DYN;
      default:
        this.#errors.add(at, `type '${t.describeType(target)}' does not support field selection`);
        return t.DYN;
    }
  }

  /** The declared type of a field. */
  #fieldType(at: number, typeName: string, field: string): Type {
    const fields = typeName === t.DEVICE.name ? this.#environment.deviceFields : MESSAGES.get(typeName)?.fields;
    const type = fields?.get(field);
    if (fields === undefined) this.#errors.add(at, `unexpected failed resolution of '${typeName}'`);
    else if (type === undefined) this.#errors.add(at, `undefined field '${field}'`);
    return type ?? t.ERROR;
  }

  #struct(expr: StructExpr): Type {
    const name = expr.name.replace(/^\./, '');
    const message = MESSAGES.get(name) ?? (name === t.DEVICE.name ? { type: t.DEVICE } : undefined);
    const named = message?.type ?? this.#environment.typeNames.get(name);
    if (named === undefined) return this.#undeclared(expr.at, expr.name);
    const creatable = message !== undefined || named.kind === 'list' || named.kind === 'map' || named.kind === 'null' || DECLARED_ONLY.has(name);
    if (!creatable) this.#errors.add(expr.at, `'${name}' is not a message type`);
    for (const field of expr.fields) this.#structField(field, creatable ? (t.messageName(named) ?? name) : name);
    return creatable ? named : t.ERROR;
  }

  #structField({ at, name, value, optional }: StructField, typeName: string): void {
    const visited = this.visit(value);
    const fieldType = this.#fieldType(at, typeName, name);
    const type = optional ? this.#unwrapOptional(value, visited) : visited;
    if (this.#mapping.assignable(fieldType, type)) return;
    this.#errors.add(at, `expected type of field '${name}' is '${t.describeType(fieldType)}' but provided type is '${t.describeType(type)}'`);
  }

  #call(expr: CallExpr): Type {
    for (const arg of expr.args) this.visit(arg);
    const { target } = expr;
    if (target !== undefined) {
      const prefix = qualifiedName(target);
      const namespaced = prefix === undefined ? undefined : this.#environment.functions.get(`${prefix}.${expr.name}`);
      if (namespaced !== undefined) {
        this.#namespaced.set(expr, namespaced.name);
        return this.#resolve(expr, namespaced, undefined);
      }
      this.visit(target);
    }
    const declaration = this.#environment.functions.get(expr.name.replace(/^\./, ''));
    return declaration === undefined ? this.#undeclared(expr.at, expr.name) : this.#resolve(expr, declaration, target);
  }

  #logical(expr: CallExpr, declaration: FunctionDeclaration): Type {
    let isGood = true;
    for (const arg of expr.args) {
      const type = this.#types.get(arg) ?? t.ERROR;
      if (this.#mapping.assignable(type, t.BOOL)) continue;
      isGood = false;
      this.#mismatch(arg.at, t.BOOL, type);
    }
    if (isGood) this.#overloads.set(expr, declaration.overloads);
    return isGood ? t.BOOL : t.ERROR;
  }

  #resolve(expr: CallExpr, declaration: FunctionDeclaration, target: Expr | undefined): Type {
    this.#declarations.set(expr, declaration);
    if (expr.name === '_&&_' || expr.name === '_||_') return this.#logical(expr, declaration);
    const argExprs = target === undefined ? expr.args : [target, ...expr.args];
    const args = argExprs.map((arg) => this.#types.get(arg) ?? t.ERROR);
    const candidates: Overload[] = [];
    let result: Type | undefined;
    for (const overload of declaration.overloads) {
      if (overload.member !== (target !== undefined)) continue;
      if (overload.types.length !== args.length) continue;
      const types = overload.isGeneric ? this.#instantiate([...overload.types, overload.result]) : overload.types;
      if (!this.#mapping.allAssignable(args, types)) continue;
      candidates.push(overload);
      const found = overload.isGeneric ? this.#mapping.substitute(types[args.length] ?? t.DYN, false) : overload.result;
      if (result === undefined) result = found;
      else if (!t.isDyn(result) && !t.sameType(found, result)) result = t.DYN;
    }
    if (result === undefined) return this.#noOverload(expr, declaration.name, args, target !== undefined);
    this.#overloads.set(expr, candidates);
    return result;
  }

  #noOverload(expr: CallExpr, name: string, args: readonly Type[], isMember: boolean): Type {
    const texts = args.map((arg) => t.describeType(this.#mapping.substitute(arg, true)));
    const signature = isMember ? `${texts[0]}.(${texts.slice(1).join(', ')})` : `(${texts.join(', ')})`;
    this.#errors.add(expr.at, `found no matching overload for '${name}' applied to '${signature}'`);
    return t.ERROR;
  }

  /** The types with their parameters renamed to ones nobody else uses. */
  #instantiate(types: readonly Type[]): Type[] {
    const renamed = new Map<string, Type>();
    const rename = (type: Type): Type => {
      if (type.kind === 'param') {
        const fresh = renamed.get(type.name) ?? this.#freshType();
        renamed.set(type.name, fresh);
        return fresh;
      }
      return type.params.length === 0 ? type : { ...type, params: type.params.map(rename) };
    };
    return types.map(rename);
  }

  #freshType(): Type {
    return t.param(`_var${this.#fresh++}`);
  }

  /** The type of both: parts of a literal may differ here, the validators look at them later. */
  #join(previous: Type | undefined, current: Type): Type {
    if (previous === undefined) return current;
    return this.#mapping.assignable(previous, current) ? t.mostGeneral(previous, current) : t.DYN;
  }

  #list(expr: ListExpr): Type {
    let element: Type | undefined;
    expr.elements.forEach((item, i) => {
      const type = this.visit(item);
      element = this.#join(element, expr.optional.has(i) ? this.#unwrapOptional(item, type) : type);
    });
    return t.listOf(element ?? this.#freshType());
  }

  #map(expr: MapExpr): Type {
    let key: Type | undefined;
    let value: Type | undefined;
    for (const entry of expr.entries) {
      key = this.#join(key, this.visit(entry.key));
      const type = this.visit(entry.value);
      value = this.#join(value, entry.optional ? this.#unwrapOptional(entry.value, type) : type);
    }
    return t.mapOf(key ?? this.#freshType(), value ?? this.#freshType());
  }

  #unwrapOptional(expr: Expr, type: Type): Type {
    if (t.isOptionalType(type)) return t.at(type, 0);
    if (!t.isDyn(type)) this.#mismatch(expr.at, t.optionalOf(type), type);
    return type;
  }

  #expectType(expr: Expr, expected: Type, found: Type): void {
    if (!this.#mapping.assignable(expected, found)) this.#mismatch(expr.at, expected, found);
  }

  #mismatch(at: number, expected: Type, found: Type): void {
    this.#errors.add(at, `expected type '${t.describeType(expected)}' but found '${t.describeType(found)}'`);
  }

  #comprehension(expr: ComprehensionExpr): Type {
    const range = this.#mapping.substitute(this.visit(expr.range), false);
    const accu = this.visit(expr.init);
    this.#scopes.push(new Map([[expr.accuVar, accu]]));
    this.#scopes.push(this.#iterationScope(expr, range));
    this.#expectType(expr.condition, t.BOOL, this.visit(expr.condition));
    this.#expectType(expr.step, accu, this.visit(expr.step));
    this.#scopes.pop();
    const result = this.visit(expr.result);
    this.#scopes.pop();
    return this.#mapping.substitute(result, false);
  }

  #iterationScope(expr: ComprehensionExpr, range: Type): Map<string, Type> {
    const [key, value] = this.#iterationTypes(expr, range);
    if (expr.iterVar2 === undefined) return new Map([[expr.iterVar, range.kind === 'list' ? value : key]]);
    return new Map([
      [expr.iterVar, key],
      [expr.iterVar2, value],
    ]);
  }

  /** Types of index or key and of element or value. */
  #iterationTypes(expr: ComprehensionExpr, range: Type): readonly [Type, Type] {
    switch (range.kind) {
      case 'list':
        return [t.INT, t.at(range, 0)];
      case 'map':
        return [t.at(range, 0), t.at(range, 1)];
      case 'dyn':
      case 'error':
      case 'param':
        this.#mapping.assignable(t.DYN, range);
        return [t.DYN, t.DYN];
      default:
        this.#errors.add(expr.range.at, `expression of type '${t.describeType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`);
        return [t.ERROR, t.ERROR];
    }
  }
}

function literalType(value: Value): Type {
  if (value === null) return t.NULL;
  if (typeof value === 'boolean') return t.BOOL;
  if (typeof value === 'bigint') return t.INT;
  if (typeof value === 'number') return t.DOUBLE;
  if (typeof value === 'string') return t.STRING;
  if (value instanceof Uint) return t.UINT;
  return value instanceof CelError ? t.ERROR : t.BYTES;
}
