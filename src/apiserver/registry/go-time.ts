/** Times as Go's time package reads them, and its words for those it cannot read. */
import { goQuote } from '#machinery';

/** Layouts of Go's time package in which upstream reads and writes times (meta/v1 Time and MicroTime). */
const TIME_LAYOUTS = {
  time: { pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)$/, layout: '2006-01-02T15:04:05Z07:00' },
  'micro-time': { pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.,]\d{6}(Z|[+-]\d\d:\d\d)$/, layout: '2006-01-02T15:04:05.000000Z07:00' },
} as const;
/** What Go says of a text that is no time of this type; undefined for one that is. */
export function timeProblem(text: string, type: keyof typeof TIME_LAYOUTS): string | undefined {
  const { pattern, layout } = TIME_LAYOUTS[type];
  if (pattern.test(text) && !Number.isNaN(Date.parse(text))) return undefined;
  return `parsing time ${goQuote(text)} as ${JSON.stringify(layout)}${unparsedTime(text, type)}`;
}

/** The parts of the layouts in order, as far as both share them. */
const TIME_PARTS = [
  ['2006', /^\d{4}/],
  ['-', /^-/],
  ['01', /^\d\d/],
  ['-', /^-/],
  ['02', /^\d\d/],
  ['T', /^T/],
  ['15', /^\d\d/],
  [':', /^:/],
  ['04', /^\d\d/],
  [':', /^:/],
  ['05', /^\d\d/],
] as const;
const FRACTION = /^[.,]\d+/;
const MICRO_FRACTION = /^[.,]\d{6}(?!\d)/;
const ZONE = /^(Z|[+-]\d\d:\d\d)/;

/** What Go says of the first part of the layout that a text does not fit (time.Parse). */
function unparsedTime(text: string, type: keyof typeof TIME_LAYOUTS): string {
  let rest = text;
  for (const [part, pattern] of TIME_PARTS) {
    const found = pattern.exec(rest)?.[0];
    if (found === undefined) return unparsed(rest, part);
    rest = rest.slice(found.length);
  }
  const fraction = (type === 'time' ? FRACTION : MICRO_FRACTION).exec(rest)?.[0];
  if (type === 'micro-time' && fraction === undefined) return unparsed(rest, '.000000');
  rest = rest.slice(fraction?.length ?? 0);
  const zone = ZONE.exec(rest)?.[0];
  if (zone === undefined) return unparsed(rest, 'Z07:00');
  if (rest.length > zone.length) return `: extra text: ${goQuote(rest.slice(zone.length))}`;
  return rangeProblem(text);
}

function unparsed(rest: string, part: string): string {
  return `: cannot parse ${goQuote(rest)} as ${JSON.stringify(part)}`;
}

/** A part that is written well but is no month, day, hour, minute or second. */
function rangeProblem(text: string): string {
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = [5, 8, 11, 14, 17].map((at) => Number(text.slice(at, at + 2)));
  const limits: readonly (readonly [string, boolean])[] = [
    ['month', month < 1 || month > 12],
    ['day', day < 1 || day > 31],
    ['hour', hour > 23],
    ['minute', minute > 59],
    ['second', second > 59],
  ];
  return `: ${limits.find(([, beyond]) => beyond)?.[0] ?? 'day'} out of range`;
}
