/** What a call costs when it runs, in upstream's units (cel-go interpreter/runtimecost.go and ext; apiserver pkg/cel/library/cost.go). */
import { Quantity, Semver } from '#machinery';
import { LIST_CREATE_BASE_COST, REGEX_STRING_LENGTH_COST_FACTOR, STRING_TRAVERSAL_COST_FACTOR } from './cost-units.ts';
import { Aborted, CelError, CelMap, ConcatList, isList, listItems, OpaqueValue, Optional, typeNameOf, type Value } from './values.ts';

/** The size that costs are counted by: characters, bytes, elements, else 1. */
export function actualSize(value: Value): number {
  if (typeof value === 'string') return codePointCount(value);
  if (value instanceof Uint8Array || isList(value) || value instanceof ConcatList) return value.length;
  if (value instanceof CelMap) return value.size;
  return value instanceof OpaqueValue ? value.size : 1;
}

/** The same where upstream also looks into optional values: in its own functions, not in Kubernetes'. */
function unwrappedSize(value: Value): number {
  return value instanceof Optional && value.value !== undefined ? unwrappedSize(value.value) : actualSize(value);
}

function codePointCount(text: string): number {
  let count = text.length;
  for (let i = count - 2; i >= 0; i--) if (text.charCodeAt(i) >= 0xd800 && text.charCodeAt(i) < 0xdc00) count--;
  return count;
}

/** The cost of a call from its first two arguments, errors among them, and its result. */
export type CallCost = (first: Value, second: Value, result: Value) => number;

const scan = (size: number, times = 1): number => Math.ceil(size * times * STRING_TRAVERSAL_COST_FACTOR);
const one: CallCost = () => 1;

const ofFirst: CallCost = (first) => scan(actualSize(first));
const ofFirstTwice: CallCost = (first) => scan(actualSize(first), 2);
const ofShorter: CallCost = (first, second) => scan(Math.min(unwrappedSize(first), unwrappedSize(second)));
const ofBoth: CallCost = (first, second) => scan(unwrappedSize(first) + unwrappedSize(second));
const matching: CallCost = (first, second) => scan(1 + actualSize(first)) * Math.ceil(actualSize(second) * REGEX_STRING_LENGTH_COST_FACTOR);

/** Characters up to which a text costs one unit. */
const SHORT_TEXT = 1 / STRING_TRAVERSAL_COST_FACTOR;

/** Values of library types are equal or not at a glance. */
function equality(first: Value, second: Value): number {
  // Short texts cost one however their characters are counted.
  if (typeof first === 'string' && typeof second === 'string' && first.length <= SHORT_TEXT && second !== '') return first === '' ? 0 : 1;
  if (typeof first !== 'string' && (first instanceof OpaqueValue || first instanceof Quantity || first instanceof Semver)) return 1;
  return ofShorter(first, second, null);
}

/** Costs by signature: the standard functions. All others cost one. */
const BY_OVERLOAD: Readonly<Record<string, CallCost>> = {
  starts_with_string: (_first, second) => scan(unwrappedSize(second)),
  ends_with_string: (_first, second) => scan(unwrappedSize(second)),
  string_to_bytes: ofFirst,
  bytes_to_string: ofFirst,
  strings_quote: ofFirst,
  string_format: ofFirst,
  in_list: (_first, second) => unwrappedSize(second),
  equals: equality,
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
  matches: matching,
  matches_string: matching,
  contains_string: (first, second) => scan(unwrappedSize(first)) * scan(unwrappedSize(second)),
};

/** Cost of looking at everything in a value, rounded down for each text. */
function treeSize(value: Value): number {
  if (typeof value === 'string') return Math.trunc(utf8Length(value) * STRING_TRAVERSAL_COST_FACTOR);
  if (value instanceof Uint8Array) return Math.trunc(value.length * STRING_TRAVERSAL_COST_FACTOR);
  const items = listItems(value);
  let size = 0;
  if (items !== undefined) for (const item of items) size += treeSize(item);
  else if (value instanceof CelMap) for (const entry of value.entries()) size += treeSize(entry.key) + treeSize(entry.value);
  else size = 1;
  return size;
}

function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) length += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return length;
}

const inspection: CallCost = (first) => treeSize(first);

/** Formats cost as if each were a pattern. */
function validation(format: Value, text: Value): number {
  if (!(format instanceof OpaqueValue) || format.patternSize === 0) return 1;
  return scan(1 + actualSize(text)) * Math.ceil(format.patternSize * REGEX_STRING_LENGTH_COST_FACTOR);
}

/** Masks and compares networks; a text is parsed first. */
function containsIp(parsed: boolean): CallCost {
  return (first, second) => scan(actualSize(first), 2) + (parsed ? scan(actualSize(second)) : 0);
}

function containsCidr(parsed: boolean): CallCost {
  return (first, second) => scan(actualSize(first), 2) + (parsed ? scan(actualSize(second)) : 0) + scan(actualSize(first)) + 1;
}

/** Costs by name, whatever the signature: the Kubernetes libraries. */
const BY_FUNCTION: Readonly<Record<string, CallCost>> = {
  isSorted: inspection,
  sum: inspection,
  max: inspection,
  min: inspection,
  indexOf: inspection,
  lastIndexOf: inspection,
  includes: inspection,
  url: ofFirst,
  lowerAscii: ofFirst,
  upperAscii: ofFirst,
  substring: ofFirst,
  trim: ofFirst,
  replace: ofFirstTwice,
  split: ofFirstTwice,
  join: (_first, _second, result) => scan(actualSize(result), 2),
  find: matching,
  findAll: matching,
  cidr: ofFirst,
  isIP: ofFirst,
  isCIDR: ofFirst,
  ip: ofFirst,
  'ip.isCanonical': ofFirstTwice,
  containsIP: containsIp(false),
  containsCIDR: containsCidr(false),
  quantity: ofFirst,
  isQuantity: ofFirst,
  semver: ofFirst,
  isSemver: ofFirst,
  validate: validation,
};

/** Where the signature decides among those. */
const BY_FUNCTION_AND_OVERLOAD: Readonly<Record<string, CallCost>> = {
  cidr_ip: one,
  cidr_contains_ip_string: containsIp(true),
  cidr_contains_cidr_string: containsCidr(true),
};

/** A new list, each of whose elements is touched `times`. */
function allocated(size: number, times: number): number {
  return Math.trunc(size * (times < 0 ? 1 : times)) + 1 + LIST_CREATE_BASE_COST;
}

/** Each element against each, dearer for text. */
function selfComparison(values: Value, name: string): number {
  // Upstream panics here and hides the error; dray tells it.
  if (listItems(values) === undefined) throw new Aborted(values instanceof CelError ? values.message : `no such overload: ${name}(${typeNameOf(values)})`);
  const size = actualSize(values);
  const first = size === 0 ? undefined : listItems(values)?.[0];
  const isText = typeof first === 'string' || first instanceof Uint8Array;
  return allocated(size * size, isText ? 2 + STRING_TRAVERSAL_COST_FACTOR : 2);
}

const ofResult: CallCost = (_first, _second, result) => allocated(actualSize(result), 1);

function sorting(type: string): readonly (readonly [string, CallCost])[] {
  return [
    [`list_${type}_sort`, (first) => selfComparison(first, 'sort')],
    [`list_${type}_sortByAssociatedKeys`, (_first, second) => selfComparison(second, '@sortByAssociatedKeys')],
  ];
}

function setComparison(times: number): CallCost {
  return (first, second) => 1 + actualSize(first) * actualSize(second) * times;
}

function flattening(values: Value, depth: Value): number {
  return allocated(actualSize(values), typeof depth === 'bigint' ? Number(depth) : 1);
}

/** Costs by signature that come before all others: list and set functions. */
const LISTS_AND_SETS: Readonly<Record<string, CallCost>> = {
  list_slice: ofResult,
  list_flatten: flattening,
  list_flatten_int: flattening,
  lists_range: ofResult,
  list_reverse: ofResult,
  list_distinct: (first) => selfComparison(first, 'distinct'),
  ...Object.fromEntries(['int', 'uint', 'double', 'bool', 'google.protobuf.Duration', 'google.protobuf.Timestamp', 'string', 'bytes'].flatMap(sorting)),
  list_sets_contains_list: setComparison(1),
  list_sets_intersects_list: setComparison(1),
  list_sets_equivalent_list: setComparison(2),
};

const PRICED_BY_RESULT: ReadonlySet<CallCost | undefined> = new Set([ofResult, BY_FUNCTION['join']]);

/** Whether the cost is known only when the call has run; such functions are linear in their arguments. */
export function isPricedByResult(cost: CallCost): boolean {
  return PRICED_BY_RESULT.has(cost);
}

/** How a call is priced. `overload` is empty when the checker left several. */
export function callCost(name: string, overload: string): CallCost {
  return LISTS_AND_SETS[overload] ?? BY_FUNCTION_AND_OVERLOAD[overload] ?? BY_FUNCTION[name] ?? BY_OVERLOAD[overload] ?? one;
}
