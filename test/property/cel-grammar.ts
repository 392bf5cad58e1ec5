/**
 * Productions of random expressions, by the type of what they evaluate to. `{t}` is an expression of type t, `$t` declares a
 * variable of type t whose name stands there and which the rest of the production may use. The first ones are leaves.
 */

/** Types of expressions: bool, int, uint, double, string, bytes, duration, timestamp, quantity, semver, address, network, URL, format, attribute, lists, maps, optionals. */
export type Sort =
  | 'b'
  | 'i'
  | 'u'
  | 'd'
  | 's'
  | 'y'
  | 'D'
  | 'T'
  | 'q'
  | 'v'
  | 'ip'
  | 'net'
  | 'url'
  | 'fmt'
  | 'a'
  | 'li'
  | 'ls'
  | 'lb'
  | 'ld'
  | 'la'
  | 'll'
  | 'm'
  | 'mi'
  | 'oi'
  | 'os'
  | 'oa'
  | 'ty';

/** How expressions of a sort are made. */
export interface Productions {
  readonly leaves: readonly string[];
  readonly nodes: readonly string[];
}

const A = 'device.attributes["dra.example.com"]';
const O = 'device.attributes["other.org"]';
const C = 'device.capacity["dra.example.com"]';

const QUANTIFIED = [
  '{li}.all($i, {b})',
  '{ls}.exists($s, {b})',
  '{la}.exists_one($a, {b})',
  '{m}.all($s, {b})',
  '{m}.exists($s, $i, {b})',
  '{la}.all($i, $a, {b})',
  '{li}.existsOne($i, $i, {b})',
];
const COMPARED = ['i', 'u', 'd', 's', 'y', 'D', 'T', 'b', 'a'].flatMap((sort) => ['==', '!=', '<', '>='].map((operator) => `{${sort}} ${operator} {${sort}}`));
const EQUATED = ['q', 'v', 'ip', 'net', 'url', 'li', 'ls', 'la', 'm', 'oi', 'oa', 'ty', 'fmt'].flatMap((sort) => [
  `{${sort}} == {${sort}}`,
  `{${sort}} != {${sort}}`,
]);

/** All productions. */
export const GRAMMAR: Readonly<Record<Sort, Productions>> = {
  b: {
    leaves: ['true', 'false', 'device.allowMultipleAllocations', `has(${A}.model)`, `"index" in ${A}`, `${A}.healthy`],
    nodes: [
      '{b} && {b}',
      '{b} || {b}',
      '!{b}',
      '({b} ? {b} : {b})',
      ...QUANTIFIED,
      ...COMPARED,
      ...EQUATED,
      '{s}.startsWith({s})',
      '{s}.endsWith({s})',
      '{s}.contains({s})',
      '{s}.matches("^[a-c]+x?")',
      '{s}.matches({s})',
      '{i} in {li}',
      '{s} in {ls}',
      '{a} in {la}',
      '{a} in [1, 2, 3]',
      '{s} in {m}',
      '{s} in ["a", "a100"]',
      '{q}.isGreaterThan({q})',
      '{q}.isLessThan({q})',
      '{q}.isInteger()',
      '{v}.isLessThan({v})',
      '{v}.isGreaterThan({v})',
      'isQuantity({s})',
      'isSemver({s})',
      'isSemver({s}, {b})',
      'isIP({s})',
      'isCIDR({s})',
      'isURL({s})',
      '{ip}.isLoopback()',
      '{ip}.isGlobalUnicast()',
      '{net}.containsIP({ip})',
      '{net}.containsIP({s})',
      '{net}.containsCIDR({net})',
      'ip.isCanonical({s})',
      '{oi}.hasValue()',
      '{oa}.hasValue()',
      '{oa}.orValue({b})',
      '{li}.isSorted()',
      '{ls}.isSorted()',
      '{la}.isSorted()',
      'sets.contains({li}, {li})',
      'sets.intersects({ls}, {la})',
      'sets.equivalent({la}, {la})',
      '{la}.includes({a})',
      '{a}.includes({a})',
      '{fmt}.validate({s}).hasValue()',
      'bool({s})',
      'dyn({a}) == dyn({i})',
      'dyn({d}) < dyn({i})',
      'cel.bind($b, {b}, {b})',
      'cel.bind($la, {la}, {b})',
      'cel.bind($a, {a}, {b})',
    ],
  },
  i: {
    leaves: ['1', '0', '-3', '9223372036854775807', `${A}.index`, '7'],
    nodes: [
      '{i} + {i}',
      '{i} - {i}',
      '{i} * {i}',
      '{i} / {i}',
      '{i} % {i}',
      '-({i})',
      '({b} ? {i} : {i})',
      'size({s})',
      '{la}.size()',
      '{m}.size()',
      '{y}.size()',
      '{s}.indexOf({s})',
      '{s}.lastIndexOf({s}, {i})',
      '{li}.sum()',
      '{li}.max()',
      '{li}.min()',
      '{li}.indexOf({i})',
      '{la}.lastIndexOf({a})',
      '{q}.compareTo({q})',
      'sign({q})',
      '{q}.asInteger()',
      '{v}.major()',
      '{v}.compareTo({v})',
      '{ip}.family()',
      '{net}.prefixLength()',
      '{li}[{i}]',
      '{m}[{s}]',
      '{oi}.value()',
      '{oi}.orValue({i})',
      'int({s})',
      'int({d})',
      'int({u})',
      'int({D})',
      'int({T})',
      '{T}.getFullYear()',
      '{T}.getHours("-08:00")',
      '{D}.getMinutes()',
      'cel.bind($i, {i}, {i} + {i})',
      '{li}.first().orValue({i})',
      '{m}.a',
    ],
  },
  u: {
    leaves: ['1u', '0u', '18446744073709551615u'],
    nodes: ['{u} + {u}', '{u} - {u}', '{u} * {u}', '{u} / {u}', '{u} % {u}', 'uint({i})', 'uint({s})', 'uint({d})'],
  },
  d: {
    leaves: ['1.5', '0.0', '-2.25', '1e300'],
    nodes: ['{d} + {d}', '{d} * {d}', '{d} / {d}', '-({d})', 'double({i})', 'double({s})', '{q}.asApproximateFloat()', '{ld}.sum()', '{ld}.max()'],
  },
  s: {
    leaves: ['"a"', '""', '"a100"', 'device.driver', `${A}.model`, '"1.2.3"', '"10Gi"', '"é😀"', '"10.0.0.1"', `${O}.rack`],
    nodes: [
      '{s} + {s}',
      '({b} ? {s} : {s})',
      '{s}.lowerAscii()',
      '{s}.upperAscii()',
      '{s}.trim()',
      '{s}.charAt({i})',
      '{s}.substring({i})',
      '{s}.substring({i}, {i})',
      '{s}.replace({s}, {s})',
      '{s}.replace({s}, {s}, {i})',
      '{ls}.join("-")',
      '{ls}.join()',
      '{la}.join(",")',
      '{s}.find("[0-9]+")',
      '{s}.find({s})',
      'strings.quote({s})',
      '"%s/%d".format([{s}, {i}])',
      '"%s".format([{la}])',
      '"%.2f %e".format([{d}, {d}])',
      '"%x %b %o".format([{i}, {i}, {i}])',
      'string({i})',
      'string({d})',
      'string({b})',
      'string({D})',
      'string({T})',
      'string({y})',
      'string({ip})',
      'string({a})',
      '{url}.getHost()',
      '{url}.getEscapedPath()',
      '{ls}[{i}]',
      '{os}.orValue({s})',
      '{a}',
      'cel.bind($s, {s}, {s} + {s})',
    ],
  },
  y: { leaves: ['b"a"', 'b""', 'b"\\xff"'], nodes: ['{y} + {y}', 'bytes({s})'] },
  D: { leaves: ['duration("1h30m")', 'duration("-5ms")'], nodes: ['{D} + {D}', '{D} - {D}', '{T} - {T}', 'duration({s})'] },
  T: {
    leaves: ['timestamp("2026-01-01T00:00:00Z")', 'timestamp(0)', 'timestamp("1999-12-31T23:59:59+02:00")'],
    nodes: ['{T} + {D}', '{T} - {D}', 'timestamp({i})', 'timestamp({s})'],
  },
  q: {
    leaves: [`${C}.memory`, 'quantity("10Gi")', 'quantity("1500m")', 'quantity("0")'],
    nodes: ['{q}.add({q})', '{q}.sub({i})', '{q}.add({i})', '{q}.sub({q})', 'quantity({s})', '({b} ? {q} : {q})'],
  },
  v: { leaves: [`${A}.driverVersion`, 'semver("1.0.0")', 'semver("v2", true)'], nodes: ['semver({s})', 'semver({s}, {b})', '({b} ? {v} : {v})'] },
  ip: { leaves: ['ip("10.0.0.1")', 'ip("::1")'], nodes: ['ip({s})', '{net}.ip()'] },
  net: { leaves: ['cidr("10.0.0.0/8")', 'cidr("::/64")'], nodes: ['cidr({s})', '{net}.masked()'] },
  url: { leaves: ['url("https://a.b:80/c?d=e")'], nodes: ['url({s})'] },
  fmt: { leaves: ['format.dns1123Label()', 'format.uuid()'], nodes: ['format.named({s}).value()'] },
  a: {
    leaves: [`${A}.model`, `${A}.index`, `${A}.healthy`, `${A}.tags`, `${A}.driverVersion`, `${A}.missing`, `${O}.rack`, `${A}["numa"]`],
    nodes: [
      '({b} ? {a} : {a})',
      'dyn({i})',
      'dyn({s})',
      'dyn({d})',
      'dyn({li})',
      'dyn(null)',
      'dyn({q})',
      'dyn({u})',
      'dyn({y})',
      'dyn({m})',
      '{la}[{i}]',
      '{oa}.orValue({a})',
      `device.attributes[{s}][{s}]`,
      '{a} + {a}',
      'dyn({mi})',
      'dyn({T})',
    ],
  },
  li: {
    leaves: ['[1, 2, 3]', '[]', '[0, 5, 5, -3]', `${A}.numa`],
    nodes: [
      '{li} + {li}',
      '{li}.map($i, {i})',
      '{li}.filter($i, {b})',
      '{ls}.map($s, {b}, {i})',
      '{li}.sort()',
      '{li}.distinct()',
      '{li}.reverse()',
      '{li}.slice({i}, {i})',
      'lists.range({i})',
      '{ll}.flatten()',
      '{li}.sortBy($i, {i})',
      '[{i}, {i}]',
      '{la}.transformList($i, $a, {i})',
      '{li}.transformList($i, $i, {b}, {i})',
      '[?optional.of({i}), {i}]',
      '{m}.map($s, {i})',
      'cel.bind($li, {li}, {li} + {li})',
    ],
  },
  ls: {
    leaves: ['["a", "b"]', `${A}.tags`, '["fast", "a100"]', '[]'],
    nodes: [
      '{s}.split({s})',
      '{s}.split({s}, {i})',
      '{s}.findAll("[a-z]")',
      '{s}.findAll({s}, {i})',
      '{ls}.map($s, {s})',
      '{ls}.filter($s, {b})',
      '{ls}.sort()',
      '{ls} + {ls}',
      '[{s}, {s}]',
      '{ls}.distinct()',
      '{ls}.reverse()',
      '{m}.filter($s, {b})',
    ],
  },
  lb: { leaves: ['[true, false]'], nodes: ['{li}.map($i, {b})'] },
  ld: { leaves: ['[1.5, 2.5]'], nodes: ['{li}.map($i, {d})'] },
  la: {
    leaves: [`${A}.tags`, `${A}.numa`, '[]', `${A}.index`],
    nodes: [
      '{li}',
      '{ls}',
      '{la}.map($a, {a})',
      '{la}.filter($a, {b})',
      '{la} + {la}',
      '[{a}, {a}]',
      '{la}.sort()',
      '{la}.distinct()',
      '{la}.slice({i}, {i})',
      '{lb}',
      'dyn({ll})',
    ],
  },
  ll: { leaves: ['[[1], [2, 3]]', '[]'], nodes: ['[{li}, {li}]', '{li}.map($i, {li})'] },
  m: {
    leaves: ['{"a": 1, "b": 2}', '{}', '{"k": 0}'],
    nodes: [
      '{{s}: {i}}',
      '{{s}: {i}, {s}: {i}}',
      '{m}.transformMap($s, $i, {i})',
      '{m}.transformMap($s, $i, {b}, {i})',
      '{m}.transformMapEntry($s, $i, {{s}: {i}})',
      '({b} ? {m} : {m})',
      '{"a": {i}, ?"b": optional.ofNonZeroValue({i})}',
    ],
  },
  mi: {
    leaves: ['{1: "a"}', '{1u: 2.5, 2u: 0.5}', '{true: [1]}'],
    nodes: [
      '{{i}: {s}}',
      '{{a}: {a}}',
      '{li}.transformMap($i, $i, {s})',
      '{li}.transformMapEntry($i, $i, {{q}: {s}})',
      '{{url}: {i}, {q}: {i}}',
      '{li}.transformMapEntry($i, $i, {{a}: {s}})',
    ],
  },
  oi: {
    leaves: ['optional.of(1)', 'optional.none()', '{"a": 1}.?a', '[1, 2][?9]'],
    nodes: [
      '{m}[?{s}]',
      '{li}[?{i}]',
      '{oi}.or({oi})',
      '{oi}.optMap($i, {i})',
      '{oi}.optFlatMap($i, {oi})',
      'optional.of({i})',
      'optional.ofNonZeroValue({i})',
      '{m}.?a',
      '{li}.last()',
    ],
  },
  os: { leaves: ['optional.of("a")', 'optional.none()'], nodes: ['{ls}[?{i}]', 'optional.of({s})', '{os}.optMap($s, {s})', '{ls}.first()'] },
  oa: {
    leaves: [`${A}.?model`, `${A}.?missing`, `${O}.?rack`, `device.attributes[?"none.org"].x`],
    nodes: ['optional.of({a})', '{oa}.or({oa})', '{oa}.optMap($a, {a})', '{la}[?{i}]', '{oa}.x', `${A}[?{s}]`, 'optional.ofNonZeroValue({a})', '{oa}[{i}]'],
  },
  ty: { leaves: ['int', 'type(1)', 'bool', 'list'], nodes: ['type({a})', 'type({i})', 'type({m})', 'type({oi})'] },
};
