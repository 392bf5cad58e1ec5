/** How functions are declared: overloads with the kinds of value they take, so that one line states type, guard and meaning. */
import { Quantity, Semver } from '#machinery';
import * as t from './types.ts';
import type { Type } from './types.ts';
import { CelMap, Duration, isList, type List, listItems, Optional, Timestamp, typeNameOf, Uint, type Value, CelError } from './values.ts';

/** A static type together with the test whether a value may be passed for it. */
export interface Kind<T extends Value> {
  readonly type: Type;
  readonly is: (value: Value) => value is T;
}

/** Any value at all. */
export const any = (type: Type): Kind<Value> => ({ type, is: (value): value is Value => !(value instanceof CelError) });
/** Text. */
export const str: Kind<string> = { type: t.STRING, is: (value) => typeof value === 'string' };
/** Signed integers. */
export const int: Kind<bigint> = { type: t.INT, is: (value) => typeof value === 'bigint' };
/** Unsigned integers. */
export const uint: Kind<Uint> = { type: t.UINT, is: (value) => value instanceof Uint };
/** Floating point numbers. */
export const double: Kind<number> = { type: t.DOUBLE, is: (value) => typeof value === 'number' };
/** Booleans. */
export const bool: Kind<boolean> = { type: t.BOOL, is: (value) => typeof value === 'boolean' };
/** Bytes. */
export const bytes: Kind<Uint8Array> = { type: t.BYTES, is: (value) => value instanceof Uint8Array };
/** Points in time. */
export const timestamp: Kind<Timestamp> = { type: t.TIMESTAMP, is: (value) => value instanceof Timestamp };
/** Spans of time. */
export const duration: Kind<Duration> = { type: t.DURATION, is: (value) => value instanceof Duration };
/** Quantities. */
export const quantity: Kind<Quantity> = { type: t.QUANTITY, is: (value) => value instanceof Quantity };
/** Semantic versions. */
export const semver: Kind<Semver> = { type: t.SEMVER, is: (value) => value instanceof Semver };
/** Lists of the element type; their first element tells (types.Type, IsAssignableRuntimeType). */
export const list = (element: Type): Kind<List> => ({ type: t.listOf(element), is: (value): value is List => isList(value) && isListOf(value, element) });
/** Maps, judged by their first entry. */
export const map = (key: Type, value: Type): Kind<CelMap> => ({
  type: t.mapOf(key, value),
  is: (candidate): candidate is CelMap => candidate instanceof CelMap && isMapOf(candidate, key, value),
});
/** Optional values, whatever they hold. */
export const optional = (inner: Type): Kind<Optional> => ({ type: t.optionalOf(inner), is: (value) => value instanceof Optional });

function isListOf(values: List, element: Type): boolean {
  const [first] = values;
  return first === undefined || isOf(first, element);
}

function isMapOf(values: CelMap, key: Type, value: Type): boolean {
  for (const entry of values.entries()) return isOf(entry.key, key) && isOf(entry.value, value);
  return true;
}

/** Whether a value is of the type as far as its first elements tell. */
function isOf(value: Value, type: Type): boolean {
  if (t.isDyn(type) || type.kind === 'param') return true;
  if (typeNameOf(value) !== type.name) return false;
  const items = listItems(value);
  if (items !== undefined) return isListOf(items, t.at(type, 0));
  return value instanceof CelMap ? isMapOf(value, t.at(type, 0), t.at(type, 1)) : true;
}

/** The first two type parameters of generic functions. */
export const A = t.param('A');
/** See A. */
export const B = t.param('B');

/** A kind whatever its values: what signatures keep. */
export interface AnyKind {
  readonly type: Type;
  readonly is: (value: Value) => boolean;
}

/** What a function does; arguments were tested by their kinds. */
export type Implementation = (...args: Value[]) => Value;

/** One signature of a function. */
export interface Overload {
  readonly id: string;
  readonly member: boolean;
  readonly kinds: readonly AnyKind[];
  readonly result: Type;
  readonly run: Implementation;
  /** Types of the parameters. */
  readonly types: readonly Type[];
  /** Whether type parameters are among them. */
  readonly isGeneric: boolean;
}

/** One meaning for all signatures of a function, whatever is passed. */
export interface Dispatch {
  /** Types of the first argument that the function is for, by name; all types when absent. */
  readonly receivers?: ReadonlySet<string> | undefined;
  readonly run: Implementation;
}

/** A function with all its signatures. */
export interface FunctionDeclaration {
  readonly name: string;
  readonly overloads: readonly Overload[];
  /** How the function is carried out when its signatures do not tell; each signature has its own meaning when absent. */
  readonly dispatch?: Dispatch | undefined;
  /** Whether an error in one argument keeps the next ones from being evaluated even though there are but two (a FunctionBinding). */
  readonly inSteps?: boolean | undefined;
  /** Whether its text may be longer than its price tells: such texts are counted apart. */
  readonly amplifies?: boolean | undefined;
}

/** A tuple of value types, and the kinds that test them. */
type Values = readonly [] | readonly Value[];
type Kinds<T extends Values> = { readonly [I in keyof T]: Kind<T[I] extends Value ? T[I] : never> };

/** The kinds test the arguments before `run` sees them (accepts, below), so the wider type is safe. */
function checked<const T extends Values>(run: (...args: T) => Value): Implementation {
  return run as unknown as Implementation;
}

function overload(declared: Omit<Overload, 'types' | 'isGeneric'>): Overload {
  const types = declared.kinds.map((kind) => kind.type);
  return { ...declared, types, isGeneric: [declared.result, ...types].some(hasParameter) };
}

function hasParameter(type: Type): boolean {
  return type.kind === 'param' || type.params.some(hasParameter);
}

/** A signature called as `name(a, b)`. */
export function global<const T extends Values>(id: string, kinds: Kinds<T>, result: Type, run: (...args: T) => Value): Overload {
  return overload({ id, member: false, kinds, result, run: checked(run) });
}

/** A signature called as `a.name(b)`; the receiver is the first argument. */
export function member<const T extends Values>(id: string, kinds: Kinds<T>, result: Type, run: (...args: T) => Value): Overload {
  return overload({ id, member: true, kinds, result, run: checked(run) });
}

/** A signature that the compiler carries out itself, since it does not evaluate all its arguments first. */
export function builtIn(form: 'global' | 'member', id: string, kinds: readonly AnyKind[], result: Type): Overload {
  return overload({ id, member: form === 'member', kinds, result, run: () => new CelError('no such overload') });
}

/** Declares a function. */
export function declare(name: string, ...overloads: Overload[]): FunctionDeclaration {
  return { name, overloads };
}

/** Declares a function with one meaning for all signatures (a singleton binding); `receivers` are the types whose values have the trait. */
export function declareSingle(name: string, receivers: readonly Type[] | undefined, run: Implementation, ...overloads: Overload[]): FunctionDeclaration {
  return { name, overloads, dispatch: { receivers: receivers && new Set(receivers.map((type) => type.name)), run } };
}

/** Declares a function that is judged argument by argument (FunctionBinding), and makes texts that are longer than what it is paid for. */
export function declareAmplifying(name: string, ...overloads: Overload[]): FunctionDeclaration {
  return { name, overloads, inSteps: true, amplifies: true };
}

/** A signature of a function that declareSingle gives its meaning. */
export function signature(form: 'global' | 'member', id: string, types: readonly Type[], result: Type): Overload {
  return builtIn(
    form,
    id,
    types.map((type) => any(type)),
    result,
  );
}

/** Whether the signature takes these values. */
export function accepts(signature: Overload, args: readonly Value[]): boolean {
  return signature.kinds.length === args.length && signature.kinds.every((kind, i) => kind.is(args[i] ?? null));
}

/** What an environment of expressions knows: functions and macros by feature, and the shape of `device`. */
export interface Environment {
  readonly functions: ReadonlyMap<string, FunctionDeclaration>;
  /** Values of names that denote types. */
  readonly typeNames: ReadonlyMap<string, Type>;
  /** Fields of the variable `device`. */
  readonly deviceFields: ReadonlyMap<string, Type>;
  /** The type of an attribute's value: `any`, or `dyn` where list attributes are known. */
  readonly attributeType: Type;
}

/** The functions by name, signatures of one name from several libraries put together. */
export function functionTable(...libraries: readonly (readonly FunctionDeclaration[])[]): Map<string, FunctionDeclaration> {
  const table = new Map<string, FunctionDeclaration>();
  for (const declaration of libraries.flat()) {
    const known = table.get(declaration.name);
    table.set(declaration.name, known === undefined ? declaration : { ...known, overloads: [...known.overloads, ...declaration.overloads] });
  }
  return table;
}
