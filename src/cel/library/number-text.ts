/** Doubles with a given number of digits, in the manner of the English locale of Go's x/text. */

const FRACTION_BITS = 52n;
/** No double has more digits behind the point. */
const MOST_DIGITS = 1074;
const EXPONENT_BIAS = 1075;

/** Powers of ten that were needed already. */
const powers: bigint[] = [];

function powerOfTen(exponent: number): bigint {
  return (powers[exponent] ??= 10n ** BigInt(exponent));
}

/** The double as digits × 10^-precision, rounded half to even from its exact value. */
function scaled(value: number, precision: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const raw = view.getBigUint64(0);
  const biased = Number(raw >> FRACTION_BITS);
  const fraction = raw & ((1n << FRACTION_BITS) - 1n);
  const mantissa = (biased === 0 ? fraction : fraction | (1n << FRACTION_BITS)) * powerOfTen(precision);
  const exponent = Math.max(biased, 1) - EXPONENT_BIAS;
  if (exponent >= 0) return mantissa << BigInt(exponent);
  const bits = BigInt(-exponent);
  const quotient = mantissa >> bits;
  const rest = mantissa - (quotient << bits);
  const half = 1n << (bits - 1n);
  return rest > half || (rest === half && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
}

/** How many digits behind the point the double has: each half, quarter and so on of its binary fraction is one. */
function digitsOf(value: number): number {
  let digits = 0;
  for (let rest = Math.abs(value); !Number.isInteger(rest) && digits < MOST_DIGITS; digits++) rest = (rest % 1) * 2;
  return digits;
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? '∞' : '-∞';
}

const sign = (value: number): string => (value < 0 || Object.is(value, -0) ? '-' : '');

/**
 * With a point and thousands parted by commas. Upstream keeps the most digits behind the point in 16 bits with a sign, and the fewest in 8 without:
 * beyond 255 fewer are shown where they would be zeros, and a negative most means as many as it takes to tell the double from others.
 */
export function fixedText(value: number, precision: number): string {
  const known = special(value);
  if (known !== undefined) return known;
  const most = (precision << 16) >> 16;
  const fewest = precision & 0xff;
  const plain = most < 0 ? shortestText(value) : plainFixedText(value === 0 ? 0 : value, Math.min(most, digitsOf(value)));
  const [whole = '', fraction = ''] = plain.split('.');
  const digits = withoutLastZeros(fraction).padEnd(fewest, '0');
  return digits === '' ? inThousands(whole) : `${inThousands(whole)}.${digits}`;
}

/** By hand: what a pattern takes grows with the square of the zeros. */
function withoutLastZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}

function inThousands(whole: string): string {
  const start = whole.startsWith('-') ? 1 : 0;
  const parts: string[] = [];
  for (let end = whole.length; end > start; end -= 3) parts.unshift(whole.slice(Math.max(start, end - 3), end));
  return whole.slice(0, start) + parts.join(',');
}

/** As few digits as tell the double from others, without an exponent. */
function shortestText(value: number): string {
  const [digits = '', exponent = '0'] = Math.abs(value).toExponential().split('e');
  const all = digits.replace('.', '');
  const point = Number(exponent) + 1;
  const padded = point <= 0 ? '0'.repeat(1 - point) + all : all.padEnd(point, '0');
  const at = Math.max(point, 1);
  return `${value < 0 ? '-' : ''}${padded.slice(0, at)}.${padded.slice(at)}`;
}

/** With a point and nothing else: Go's %.6f. The value is finite. */
export function plainFixedText(value: number, precision: number): string {
  const digits = scaled(value, precision)
    .toString()
    .padStart(precision + 1, '0');
  return `${sign(value)}${digits.slice(0, digits.length - precision)}${precision === 0 ? '' : `.${digits.slice(-precision)}`}`;
}

const SCIENTIFIC_DIGITS = 6;
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** As `1.500000×10⁰⁸`. */
export function scientificText(value: number): string {
  const known = special(value);
  if (known !== undefined) return known;
  const [digits = '', exponent = ''] = Math.abs(value).toExponential(SCIENTIFIC_DIGITS).split('e');
  const power = exponent
    .slice(1)
    .padStart(2, '0')
    .replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)] ?? '');
  return `${value < 0 ? '-' : ''}${digits}×10${exponent.startsWith('-') ? '⁻' : ''}${power}`;
}
