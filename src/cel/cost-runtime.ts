/** What a call costs when it runs, in upstream's units (cel-go interpreter/runtimecost.go, apiserver pkg/cel/library/cost.go). */
import { CelMap, isList, OpaqueValue, type Value } from './values.ts';

/** Cost of touching one character of a string (common/cost.go). */
export const STRING_TRAVERSAL_COST_FACTOR = 0.1;
/** Cost factor of the length of a regular expression (common/cost.go). */
export const REGEX_STRING_LENGTH_COST_FACTOR = 0.25;
/** Cost of making a list (common/cost.go). */
export const LIST_CREATE_BASE_COST = 10;
/** Cost of making a map (common/cost.go). */
export const MAP_CREATE_BASE_COST = 30;

/** The size that costs are counted by: characters, bytes, elements, else 1. */
export function actualSize(value: Value): number {
  if (typeof value === 'string') return codePointCount(value);
  if (value instanceof Uint8Array) return value.length;
  if (isList(value)) return value.length;
  if (value instanceof CelMap) return value.size;
  return value instanceof OpaqueValue ? value.size : 1;
}

function codePointCount(text: string): number {
  let count = text.length;
  for (let i = 0; i + 1 < text.length; i++) if (text.charCodeAt(i) >= 0xd800 && text.charCodeAt(i) < 0xdc00) count--;
  return count;
}

/** Cost of traversing one text, or several put together. */
function traversal(...values: Value[]): number {
  return Math.ceil(values.reduce<number>((sum, value) => sum + actualSize(value), 0) * STRING_TRAVERSAL_COST_FACTOR);
}

function shorter(a: Value, b: Value): number {
  return Math.ceil(Math.min(actualSize(a), actualSize(b)) * STRING_TRAVERSAL_COST_FACTOR);
}

type CallCost = (args: readonly Value[], result: Value) => number;

const arg = (args: readonly Value[], index: number): Value => args[index] ?? null;
const ofFirst: CallCost = (args) => traversal(arg(args, 0));
const ofSecond: CallCost = (args) => traversal(arg(args, 1));
const ofShorter: CallCost = (args) => shorter(arg(args, 0), arg(args, 1));
const ofBoth: CallCost = (args) => traversal(arg(args, 0), arg(args, 1));
const perElement: CallCost = (args) => actualSize(arg(args, 0));
const product: CallCost = (args) => actualSize(arg(args, 0)) * actualSize(arg(args, 1));

const regex: CallCost = (args) =>
  Math.ceil((1 + actualSize(arg(args, 0))) * STRING_TRAVERSAL_COST_FACTOR) * Math.ceil(actualSize(arg(args, 1)) * REGEX_STRING_LENGTH_COST_FACTOR);

const BY_OVERLOAD: Readonly<Record<string, CallCost>> = {
  starts_with_string: ofSecond,
  ends_with_string: ofSecond,
  string_to_bytes: ofFirst,
  bytes_to_string: ofFirst,
  strings_quote: ofFirst,
  string_format: ofFirst,
  in_list: (args) => actualSize(arg(args, 1)),
  equals: (args) => (arg(args, 0) instanceof OpaqueValue ? 1 : ofShorter(args, null)),
  not_equals: ofShorter,
  less_string: ofShorter,
  greater_string: ofShorter,
  less_equals_string: ofShorter,
  greater_equals_string: ofShorter,
  less_bytes: ofShorter,
  greater_bytes: ofShorter,
  less_equals_bytes: ofShorter,
  greater_equals_bytes: ofShorter,
  add_string: ofBoth,
  add_bytes: ofBoth,
  add_list: ofBoth,
  matches: regex,
  matches_string: regex,
  contains_string: (args) => traversal(arg(args, 0)) * traversal(arg(args, 1)),
  string_to_ip: ofFirst,
  cidr_contains_ip_string: (args) => containsIp(args, true),
  cidr_contains_ip_ip: (args) => containsIp(args, false),
  cidr_contains_cidr_string: (args) => containsCidr(args, true),
  cidr_contains_cidr: (args) => containsCidr(args, false),
};

/** Costs by function name, which apply whatever the overload (library/cost.go, CallCost). */
const BY_FUNCTION: Readonly<Record<string, CallCost>> = {
  isSorted: ofTree,
  sum: ofTree,
  max: ofTree,
  min: ofTree,
  indexOf: ofTree,
  lastIndexOf: ofTree,
  includes: ofTree,
  url: ofFirst,
  lowerAscii: ofFirst,
  upperAscii: ofFirst,
  substring: ofFirst,
  trim: ofFirst,
  replace: ofFirstTwice,
  split: ofFirstTwice,
  quantity: ofFirst,
  isQuantity: ofFirst,
  semver: ofFirst,
  isSemver: ofFirst,
  isIP: ofFirst,
  cidr: ofFirst,
  isCIDR: ofFirst,
  'ip.isCanonical': ofFirstTwice,
  distinct: (args) => selfComparison(arg(args, 0)),
  sort: (args) => selfComparison(arg(args, 0)),
  '@sortByAssociatedKeys': (args) => selfComparison(arg(args, 1)),
  reverse: (args) => perElement(args, null) + 11,
  flatten: (args) => flattening(arg(args, 0), args[1]),
  validate: validation,
  find: regexSearch,
  findAll: regexSearch,
  join: (_args, result) => traversal(result, result),
  'sets.contains': (args, result) => product(args, result) + 1,
  'sets.intersects': (args, result) => product(args, result) + 1,
  'sets.equivalent': (args, result) => 2 * product(args, result) + 1,
  'lists.range': (args) => rangeLength(arg(args, 0)) + 11,
  slice: (_args, result) => actualSize(result) + 11,
};

/** Cost of looking at everything in a value, rounded down for each text (library/cost.go, traversalCost). */
function treeSize(value: Value): number {
  if (typeof value === 'string') return Math.trunc(new TextEncoder().encode(value).length * STRING_TRAVERSAL_COST_FACTOR);
  if (value instanceof Uint8Array) return Math.trunc(value.length * STRING_TRAVERSAL_COST_FACTOR);
  let size = 0;
  if (isList(value)) for (const item of value) size += treeSize(item);
  else if (value instanceof CelMap) for (const entry of value.entries()) size += treeSize(entry.key) + treeSize(entry.value);
  else size = 1;
  return size;
}

function ofTree(args: readonly Value[]): number {
  return treeSize(arg(args, 0));
}

function ofFirstTwice(args: readonly Value[]): number {
  return traversal(arg(args, 0), arg(args, 0));
}

/** Formats cost as if each were a pattern. */
function validation(args: readonly Value[]): number {
  const format = arg(args, 0);
  if (!(format instanceof OpaqueValue)) return 1;
  return Math.ceil((1 + actualSize(arg(args, 1))) * STRING_TRAVERSAL_COST_FACTOR) * Math.ceil(format.patternSize * REGEX_STRING_LENGTH_COST_FACTOR);
}

/** Masks and compares networks; a text is parsed first (library/cost.go). */
function containsIp(args: readonly Value[], parsed: boolean): number {
  return ofFirstTwice(args) + (parsed ? traversal(arg(args, 1)) : 0);
}

function containsCidr(args: readonly Value[], parsed: boolean): number {
  return containsIp(args, parsed) + traversal(arg(args, 0)) + 1;
}

/** Each element against each, dearer for text (cel-go ext/lists.go, trackListSelfCompare). */
function selfComparison(values: Value): number {
  const size = actualSize(values);
  const first = isList(values) ? values[0] : undefined;
  const factor = typeof first === 'string' || first instanceof Uint8Array ? 2 + STRING_TRAVERSAL_COST_FACTOR : 2;
  return Math.trunc(size * size * factor) + 11;
}

function flattening(values: Value, depth: Value | undefined): number {
  return Math.max(0, actualSize(values) * (typeof depth === 'bigint' ? Number(depth) : 1)) + 11;
}

function rangeLength(count: Value): number {
  return typeof count === 'bigint' ? Math.max(0, Number(count)) : actualSize(count);
}

function regexSearch(args: readonly Value[]): number {
  return regex(args, null);
}

/** Functions whose cost is the size of what they return; all are linear in their arguments. */
const PRICED_BY_RESULT = new Set(['join', 'slice']);

/** Functions whose cost upstream counts only when the overload is known beforehand. */
const BY_ONE_OVERLOAD = new Set(['sort', '@sortByAssociatedKeys', 'flatten']);

/** Whether the cost of a call is known only when it has run. */
export function pricedByResult(name: string): boolean {
  return PRICED_BY_RESULT.has(name);
}

/** The cost of a call. `overload` is empty when the checker left several. */
export function callCost(name: string, overload: string, args: readonly Value[], result: Value): number {
  const cost = overload === '' && BY_ONE_OVERLOAD.has(name) ? undefined : (BY_FUNCTION[name] ?? BY_OVERLOAD[overload]);
  return cost === undefined ? 1 : cost(args, result);
}
