/** Estimated cost of functions (cel-go checker/cost.go and ext/lists.go, ext/sets.go; apiserver pkg/cel/library/cost.go). */
import { add, exactly, MAX, multiply, type Range, scale, UNKNOWN, upTo } from './cost-range.ts';
import { LIST_CREATE_BASE_COST, REGEX_STRING_LENGTH_COST_FACTOR, STRING_TRAVERSAL_COST_FACTOR } from './cost-units.ts';
import { type Path, sizeAt } from './cost-sizes.ts';
import * as t from './types.ts';
import type { Value } from './values.ts';

/** What is known of an argument: its access path from a variable, its type, its value if literal, and its size if known. */
export interface SizedNode {
  readonly path: Path;
  readonly type: t.Type;
  readonly literal: Value | undefined;
  readonly computed: Range | undefined;
}

/** A call to be judged by one of its signatures. */
export interface CallToEstimate {
  readonly name: string;
  readonly overload: string;
  readonly target: SizedNode | undefined;
  readonly args: readonly SizedNode[];
}

/** The cost of a call and, where known, the size of its result. */
export interface CallEstimate {
  readonly cost: Range;
  readonly size?: Range | undefined;
}

type Estimator = (call: CallToEstimate) => CallEstimate;

const ONE = exactly(1n);

/** The cost of the call itself, without that of its arguments. */
export function estimateFunction(call: CallToEstimate): CallEstimate {
  if (call.name === '_==_' && comparesAtOnce(call)) return { cost: ONE };
  const estimator = LISTS_AND_SETS[call.overload] ?? BY_FUNCTION[call.name] ?? BY_OVERLOAD[call.overload];
  return estimator?.(call) ?? { cost: ONE };
}

function sizeOf(node: SizedNode | undefined): Range {
  return node === undefined ? UNKNOWN : (node.computed ?? sizeAt(node.path) ?? UNKNOWN);
}

const receiver = (call: CallToEstimate): Range => sizeOf(call.target);
const arg = (call: CallToEstimate, index: number): Range => sizeOf(call.args[index]);
const traversal = (size: Range, times = 1): Range => scale(size, times * STRING_TRAVERSAL_COST_FACTOR);

/** Two values of one of these types are equal or not at a glance. */
const COMPARED_AT_ONCE = new Set([t.QUANTITY.name, t.SEMVER.name, t.IP.name, t.CIDR.name]);
/** The longest name of a format (apiserver pkg/cel, MaxFormatSize). */
const MAX_FORMAT_SIZE = 64n;

function comparesAtOnce({ args: [left, right] }: CallToEstimate): boolean {
  return left !== undefined && right !== undefined && t.sameType(left.type, right.type) && COMPARED_AT_ONCE.has(left.type.name);
}

/** Texts are compared up to the end of the shorter one. */
function comparison(call: CallToEstimate): CallEstimate {
  const [left, right] = [arg(call, 0), arg(call, 1)];
  const type = call.args[0]?.type;
  if (call.name === '_==_' && type !== undefined && call.args[1] !== undefined && t.sameType(type, call.args[1].type)) {
    if (type.name === t.FORMAT.name) return { cost: traversal({ min: 1n, max: MAX_FORMAT_SIZE }) };
    if (type.name === t.URL.name) return { cost: traversal({ min: 1n, max: call.args[1].computed?.max ?? 1n }) };
  }
  const max = left.max < right.max ? left.max : right.max;
  return { cost: traversal({ min: max > 0n ? 1n : 0n, max }) };
}

function concatenation(call: CallToEstimate): CallEstimate {
  const size = add(arg(call, 0), arg(call, 1));
  return { cost: call.overload === 'add_list' ? ONE : traversal(size), size };
}

function matching(text: Range, pattern: Range): Range {
  return multiply(traversal(add(text, ONE)), scale(pattern, REGEX_STRING_LENGTH_COST_FACTOR));
}

/** Costs by signature: the standard functions. */
const BY_OVERLOAD: Readonly<Record<string, Estimator>> = {
  string_format: (call) => ({ cost: traversal(receiver(call)) }),
  string_to_bytes: (call) => converted(arg(call, 0), ({ min, max }) => ({ min, max: wrapped(max * 4n) })),
  bytes_to_string: (call) => converted(arg(call, 0), ({ min, max }) => ({ min: min / 4n, max })),
  strings_quote: (call) => converted(arg(call, 0), ({ min, max }) => ({ min: wrapped(min + 2n), max: wrapped(max * 2n + 2n) })),
  starts_with_string: (call) => ({ cost: traversal(arg(call, 0)) }),
  ends_with_string: (call) => ({ cost: traversal(arg(call, 0)) }),
  in_list: (call) => ({ cost: scale(arg(call, 1), 1) }),
  matches: (call) => ({ cost: matching(arg(call, 0), arg(call, 1)) }),
  matches_string: (call) => ({ cost: matching(receiver(call), arg(call, 0)) }),
  contains_string: (call) => ({ cost: multiply(traversal(receiver(call)), traversal(arg(call, 0))) }),
  add_string: concatenation,
  add_bytes: concatenation,
  add_list: concatenation,
  equals: comparison,
  not_equals: comparison,
  less_string: comparison,
  greater_string: comparison,
  less_equals_string: comparison,
  greater_equals_string: comparison,
  less_bytes: comparison,
  greater_bytes: comparison,
  less_equals_bytes: comparison,
  greater_equals_bytes: comparison,
};

/** Sizes of results are computed in 64 bits there, and wrap. */
const wrapped = (value: bigint): bigint => BigInt.asUintN(64, value);

function converted(from: Range, size: (from: Range) => Range): CallEstimate {
  return { cost: traversal(from), size: size(from) };
}

function integer(node: SizedNode | undefined, otherwise: bigint): bigint {
  if (typeof node?.literal !== 'bigint') return otherwise;
  return node.literal < 0n ? 0n : node.literal;
}

/** A new list, each of whose elements is touched `times`. */
function allocated(size: Range, times: number): CallEstimate {
  return { cost: add(scale(size, times), exactly(1n + BigInt(LIST_CREATE_BASE_COST))), size };
}

/** Each element against each, dearer for text; the size of the result counts as squared. */
function selfComparison(size: Range, isText: boolean): CallEstimate {
  return allocated(multiply(size, size), isText ? 2 + STRING_TRAVERSAL_COST_FACTOR : 2);
}

function sorting(type: string): readonly (readonly [string, Estimator])[] {
  const isText = type === 'string' || type === 'bytes';
  return [
    [`list_${type}_sort`, (call) => selfComparison(receiver(call), isText)],
    [`list_${type}_sortByAssociatedKeys`, (call) => selfComparison(arg(call, 0), isText)],
  ];
}

const COMPARABLE = ['int', 'uint', 'double', 'bool', 'google.protobuf.Duration', 'google.protobuf.Timestamp', 'string', 'bytes'];

function slicing(call: CallToEstimate): CallEstimate {
  const from = integer(call.args[0], 0n);
  return allocated(exactly(wrapped(integer(call.args[1], receiver(call).max) - from)), 1);
}

const setCost =
  (times: number): Estimator =>
  (call) => ({ cost: add(scale(multiply(arg(call, 0), arg(call, 1)), times), ONE) });

/** Costs by signature that come before all others: list and set functions. */
const LISTS_AND_SETS: Readonly<Record<string, Estimator>> = {
  list_slice: slicing,
  list_flatten: (call) => allocated(receiver(call), 1),
  list_flatten_int: (call) => allocated(receiver(call), Number(integer(call.args[0], MAX))),
  lists_range: (call) => allocated(exactly(integer(call.args[0], MAX)), 1),
  list_reverse: (call) => allocated(receiver(call), 1),
  list_distinct: (call) => selfComparison(receiver(call), false),
  ...Object.fromEntries(COMPARABLE.flatMap(sorting)),
  list_sets_contains_list: setCost(1),
  list_sets_intersects_list: setCost(1),
  list_sets_equivalent_list: setCost(2),
};

/** The elements of a list; undefined for what is no list by its type. */
function elementsOf(node: SizedNode | undefined): SizedNode | undefined {
  const type = node?.type.params[0];
  if (node === undefined || type === undefined) return undefined;
  return { path: node.path.length === 0 ? node.path : node.path.copy().by('@items'), type, literal: undefined, computed: undefined };
}

/** Every element once, texts in it by their length; texts themselves by theirs. */
function inspection(call: CallToEstimate): CallEstimate {
  const element = elementsOf(call.target);
  if (element === undefined) return { cost: call.name === 'includes' ? receiver(call) : traversal(receiver(call)) };
  const isText = element.type.kind === 'string' || element.type.kind === 'bytes';
  return { cost: multiply(receiver(call), isText ? add(ONE, traversal(sizeOf(element))) : ONE) };
}

const parsing: Estimator = (call) => ({ cost: traversal(arg(call, 0)) });
const keepingSize: Estimator = (call) => ({ cost: traversal(receiver(call)), size: receiver(call) });

/** Characters may all be replaced, or none; an empty text is found between all of them. */
function replacing(call: CallToEstimate): CallEstimate {
  const [text, sought, replacement] = [receiver(call), arg(call, 0), arg(call, 1)];
  const most = replacements(text.max, sought.min, replacement.max <= sought.min);
  const least = replacements(text.min, sought.max, sought.max <= replacement.min);
  const count: Range = { min: least.count, max: most.count };
  const size = add(multiply(count, replacement), { min: least.kept, max: most.kept });
  return { cost: traversal(text, 2), size };
}

/** How often a text of `sought` characters is replaced among `length`, and how many characters stay. */
function replacements(length: bigint, sought: bigint, keepsAll: boolean): { readonly count: bigint; readonly kept: bigint } {
  if (sought === 0n) return { count: length === MAX ? MAX : length + 1n, kept: length };
  if (keepsAll) return { count: 0n, kept: length };
  const count = BigInt(Math.ceil(Number(length) / Number(sought)));
  // 2^64 does not fit its unsigned integer and becomes 2^63 there.
  return { count: count > MAX ? 2n ** 63n : count, kept: 0n };
}

/** At worst each character becomes an element, unless a limit says otherwise. */
function splitting(call: CallToEstimate): CallEstimate {
  const limit = call.args[1]?.literal;
  const max = typeof limit === 'bigint' ? wrapped(limit) : receiver(call).max;
  return { cost: traversal(receiver(call), 2), size: upTo(max) };
}

/** All elements with separators between them. */
function joining(call: CallToEstimate): CallEstimate {
  const count = receiver(call);
  const element = elementsOf(call.target);
  const elements = element === undefined ? exactly(0n) : multiply(count, sizeOf(element));
  const gaps: Range = { min: count.min > 0n ? count.min - 1n : 0n, max: count.max > 0n ? count.max - 1n : 0n };
  const size = call.args.length > 0 ? add(elements, multiply(arg(call, 0), gaps)) : elements;
  return { cost: traversal(size), size };
}

const searching: Estimator = (call) => ({ cost: matching(receiver(call), arg(call, 0)), size: upTo(receiver(call).max) });

/** Addresses of 4 or 16 bytes are compared, and masked first when they are networks. */
const ADDRESS_SIZE: Range = { min: 4n, max: 16n };
const COMPARED_ADDRESSES = traversal(add(ADDRESS_SIZE, ADDRESS_SIZE));
const COMPARED_NETWORKS = add(add(COMPARED_ADDRESSES, traversal(ADDRESS_SIZE)), ONE);

function containment(cost: Range, parsed: string): Estimator {
  return (call) => ({ cost: call.overload === parsed ? add(cost, traversal(arg(call, 0))) : cost });
}

/** Longest pattern of a named format that estimates count with (apiserver pkg/cel, MaxNameFormatRegexSize). */
const MAX_NAME_FORMAT_REGEX_SIZE = 128;

/** Costs by name, whatever the signature: the Kubernetes libraries. */
const BY_FUNCTION: Readonly<Record<string, Estimator>> = {
  isSorted: inspection,
  sum: inspection,
  max: inspection,
  min: inspection,
  indexOf: inspection,
  lastIndexOf: inspection,
  includes: inspection,
  url: (call) => ({ ...parsing(call), size: arg(call, 0) }),
  lowerAscii: keepingSize,
  upperAscii: keepingSize,
  substring: keepingSize,
  trim: keepingSize,
  replace: replacing,
  split: splitting,
  join: joining,
  find: searching,
  findAll: searching,
  cidr: parsing,
  isIP: parsing,
  isCIDR: parsing,
  ip: (call) => (call.overload === 'cidr_ip' ? { cost: ONE } : parsing(call)),
  'ip.isCanonical': (call) => ({ cost: traversal(arg(call, 0), 2) }),
  containsIP: containment(COMPARED_ADDRESSES, 'cidr_contains_ip_string'),
  containsCIDR: containment(COMPARED_NETWORKS, 'cidr_contains_cidr_string'),
  quantity: parsing,
  isQuantity: parsing,
  semver: parsing,
  isSemver: parsing,
  validate: (call) => ({ cost: scale(traversal(arg(call, 0)), MAX_NAME_FORMAT_REGEX_SIZE * REGEX_STRING_LENGTH_COST_FACTOR) }),
};
