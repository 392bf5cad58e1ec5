/** Estimated cost of calls by function and overload (cel-go checker/cost.go, functionCost; apiserver pkg/cel/library/cost.go). */
import { addCost, type Estimate, exactly, MAX, minCost, multiplyCost, type Range, scaleCost, type SizedNode, unionCost, unknownSize } from './cost-range.ts';
import { REGEX_STRING_LENGTH_COST_FACTOR, STRING_TRAVERSAL_COST_FACTOR } from './cost-runtime.ts';

/** A call to be judged. */
export interface CallToEstimate {
  readonly name: string;
  readonly overload: string;
  readonly nodes: readonly SizedNode[];
  readonly argCosts: readonly Range[];
}

const ONE = exactly(1n);
const ANYTHING = (call: CallToEstimate, index: number): Range => call.nodes[index]?.size ?? ONE;
const traverse = (size: Range): Range => scaleCost(size, STRING_TRAVERSAL_COST_FACTOR);

type Estimator = (call: CallToEstimate) => Estimate;

/** The cost of the call with that of its arguments. */
export function estimateCall(call: CallToEstimate): Estimate {
  const args = call.argCosts.reduce(addCost, exactly(0n));
  const special = BY_CONTROL[call.name];
  if (special !== undefined) return special(call);
  const own = (BY_FUNCTION[call.name] ?? BY_OVERLOAD[call.overload])?.(call) ?? { cost: ONE };
  return { cost: addCost(args, own.cost), size: own.size };
}

const argCost = (call: CallToEstimate, index: number): Range => call.argCosts[index] ?? exactly(0n);

/** Operators that do not evaluate all their arguments. */
const BY_CONTROL: Readonly<Record<string, Estimator>> = {
  '_&&_': (call) => shortCircuit(call),
  '_||_': (call) => shortCircuit(call),
  '_?_:_': (call) => ({
    cost: addCost(argCost(call, 0), unionCost(argCost(call, 1), argCost(call, 2))),
    size: unionCost(ANYTHING(call, 1), ANYTHING(call, 2)),
  }),
};

/** The right side may never run, which only lowers the minimum. */
function shortCircuit(call: CallToEstimate): Estimate {
  const left = argCost(call, 0);
  return { cost: { min: left.min, max: addCost(left, argCost(call, 1)).max } };
}

const ofFirst: Estimator = (call) => ({ cost: traverse(ANYTHING(call, 0)) });
const comparison: Estimator = (call) => ({ cost: traverse(minCost(ANYTHING(call, 0), ANYTHING(call, 1))) });
/** Two values of one of these types are equal or not at a glance (library/cost.go). */
const COMPARED_AT_ONCE = new Set(['kubernetes.Quantity', 'kubernetes.Semver', 'net.IP', 'net.CIDR']);

function comparesAtOnce(call: CallToEstimate): boolean {
  const [left, right] = call.nodes;
  return left !== undefined && left.type.name === right?.type.name && COMPARED_AT_ONCE.has(left.type.name);
}

const concatenation: Estimator = (call) => {
  const sum = addCost(ANYTHING(call, 0), ANYTHING(call, 1));
  return { cost: traverse(sum), size: sum };
};

/** Addresses of 4 or 16 bytes are compared, and masked first when they are networks (library/cost.go). */
const ADDRESS_SIZE: Range = { min: 4n, max: 16n };
const COMPARED_ADDRESSES = traverse(addCost(ADDRESS_SIZE, ADDRESS_SIZE));
const COMPARED_NETWORKS = addCost(addCost(COMPARED_ADDRESSES, traverse(ADDRESS_SIZE)), ONE);

/** Longest pattern of a named format that estimates count with (apiserver pkg/cel, MaxNameFormatRegexSize). */
const MAX_NAME_FORMAT_REGEX_SIZE = 128;

const BY_OVERLOAD: Readonly<Record<string, Estimator>> = {
  starts_with_string: (call) => ({ cost: traverse(ANYTHING(call, 1)) }),
  ends_with_string: (call) => ({ cost: traverse(ANYTHING(call, 1)) }),
  string_to_bytes: ofFirst,
  bytes_to_string: ofFirst,
  strings_quote: ofFirst,
  string_format: ofFirst,
  string_to_ip: ofFirst,
  cidr_contains_ip_string: (call) => ({ cost: addCost(COMPARED_ADDRESSES, traverse(ANYTHING(call, 1))) }),
  cidr_contains_ip_ip: () => ({ cost: COMPARED_ADDRESSES }),
  cidr_contains_cidr_string: (call) => ({ cost: addCost(COMPARED_NETWORKS, traverse(ANYTHING(call, 1))) }),
  cidr_contains_cidr: () => ({ cost: COMPARED_NETWORKS }),
  in_list: (call) => ({ cost: ANYTHING(call, 1) }),
  equals: (call) => (comparesAtOnce(call) ? { cost: ONE } : comparison(call)),
  not_equals: comparison,
  less_string: comparison,
  greater_string: comparison,
  less_equals_string: comparison,
  greater_equals_string: comparison,
  less_bytes: comparison,
  greater_bytes: comparison,
  less_equals_bytes: comparison,
  greater_equals_bytes: comparison,
  add_string: concatenation,
  add_bytes: concatenation,
  add_list: concatenation,
  matches: regex,
  matches_string: regex,
  contains_string: (call) => ({ cost: multiplyCost(traverse(ANYTHING(call, 0)), traverse(ANYTHING(call, 1))) }),
};

function regex(call: CallToEstimate): Estimate {
  const text = scaleCost(addCost(ANYTHING(call, 0), ONE), STRING_TRAVERSAL_COST_FACTOR);
  return { cost: multiplyCost(text, scaleCost(ANYTHING(call, 1), REGEX_STRING_LENGTH_COST_FACTOR)) };
}

const product: Estimator = (call) => ({ cost: multiplyCost(ANYTHING(call, 0), ANYTHING(call, 1)) });
const setCost: Estimator = (call) => ({ cost: addCost(product(call).cost, ONE) });
const LIST_CREATE = exactly(11n);

function integer(call: CallToEstimate, index: number): bigint | undefined {
  const literal = call.nodes[index]?.literal;
  return typeof literal === 'bigint' ? literal : undefined;
}

function listRange(call: CallToEstimate): Estimate {
  const count = integer(call, 0);
  const size = count === undefined ? { min: 0n, max: MAX } : exactly(count > 0n ? count : 0n);
  return { cost: addCost(size, LIST_CREATE), size };
}

function listSlice(call: CallToEstimate): Estimate {
  const from = integer(call, 1);
  const to = integer(call, 2);
  const size = from === undefined || to === undefined || to < from ? ANYTHING(call, 0) : exactly(to - from);
  return { cost: addCost(size, LIST_CREATE), size };
}

function search(call: CallToEstimate): Estimate {
  return { ...regex(call), size: { min: 0n, max: ANYTHING(call, 0).max } };
}

/** At worst each character becomes an element, unless a limit says otherwise. */
function splitting(call: CallToEstimate): Estimate {
  const size = ANYTHING(call, 0);
  const limit = integer(call, 2);
  const most = limit === undefined ? size.max : BigInt.asUintN(64, limit);
  return { cost: scaleCost(size, 2 * STRING_TRAVERSAL_COST_FACTOR), size: { min: 0n, max: most } };
}

/** All elements, whose size is never known, with separators between them. */
function joining(call: CallToEstimate): Estimate {
  const count = ANYTHING(call, 0);
  const gaps = { min: count.min > 0n ? count.min - 1n : 0n, max: count.max > 0n ? count.max - 1n : 0n };
  const elements = multiplyCost(count, { min: 0n, max: MAX });
  const size = call.nodes.length > 1 ? addCost(elements, multiplyCost(ANYTHING(call, 1), gaps)) : elements;
  return { cost: traverse(size), size };
}

/** Every element once, texts in it by their length, which is never known; texts themselves by theirs. */
function inspection(call: CallToEstimate): Estimate {
  const size = ANYTHING(call, 0);
  const element = call.nodes[0]?.type.params[0];
  if (element === undefined) return { cost: call.name === 'includes' ? size : traverse(size) };
  const each = element.kind === 'string' || element.kind === 'bytes' ? addCost(ONE, traverse(unknownSize(element))) : ONE;
  return { cost: multiplyCost(size, each) };
}

/** A new list of the size of the first argument, whose elements are each touched `times`. */
function allocated(call: CallToEstimate, times: Range): Estimate {
  return { cost: addCost(multiplyCost(ANYTHING(call, 0), times), LIST_CREATE), size: ANYTHING(call, 0) };
}

/** Each element against each, dearer for text (cel-go ext/lists.go, estimateListSortCost); the size of the result counts as squared. */
function selfComparison(call: CallToEstimate, keys: number): Estimate {
  const squared = multiplyCost(ANYTHING(call, keys), ANYTHING(call, keys));
  const isText = /^list_(?:string|bytes)_/.test(call.overload);
  return { cost: addCost(scaleCost(squared, isText ? 2 + STRING_TRAVERSAL_COST_FACTOR : 2), LIST_CREATE), size: squared };
}

function flattened(call: CallToEstimate): Estimate {
  if (call.nodes.length === 1) return allocated(call, ONE);
  const depth = integer(call, 1);
  return allocated(call, exactly(depth === undefined || depth < 0n ? MAX : depth));
}

const BY_FUNCTION: Readonly<Record<string, Estimator>> = {
  isSorted: inspection,
  sum: inspection,
  max: inspection,
  min: inspection,
  indexOf: inspection,
  lastIndexOf: inspection,
  includes: inspection,
  validate: (call) => ({ cost: scaleCost(traverse(ANYTHING(call, 1)), MAX_NAME_FORMAT_REGEX_SIZE * REGEX_STRING_LENGTH_COST_FACTOR) }),
  dyn: (call) => ({ cost: ONE, size: ANYTHING(call, 0) }),
  'optional.of': (call) => ({ cost: ONE, size: ANYTHING(call, 0) }),
  find: search,
  findAll: search,
  'lists.range': listRange,
  slice: listSlice,
  reverse: (call) => allocated(call, ONE),
  flatten: flattened,
  distinct: (call) => selfComparison(call, 0),
  sort: (call) => selfComparison(call, 0),
  '@sortByAssociatedKeys': (call) => selfComparison(call, 1),
  url: (call) => ({ ...ofFirst(call), size: ANYTHING(call, 0) }),
  quantity: ofFirst,
  isQuantity: ofFirst,
  semver: ofFirst,
  isSemver: ofFirst,
  isIP: ofFirst,
  cidr: ofFirst,
  isCIDR: ofFirst,
  'ip.isCanonical': (call) => ({ cost: scaleCost(ANYTHING(call, 0), 2 * STRING_TRAVERSAL_COST_FACTOR) }),
  lowerAscii: (call) => ({ ...ofFirst(call), size: ANYTHING(call, 0) }),
  upperAscii: (call) => ({ ...ofFirst(call), size: ANYTHING(call, 0) }),
  trim: (call) => ({ ...ofFirst(call), size: ANYTHING(call, 0) }),
  substring: (call) => ({ ...ofFirst(call), size: ANYTHING(call, 0) }),
  split: splitting,
  join: joining,
  'sets.contains': setCost,
  'sets.intersects': setCost,
  'sets.equivalent': (call) => ({ cost: addCost(multiplyCost(product(call).cost, exactly(2n)), ONE) }),
};
