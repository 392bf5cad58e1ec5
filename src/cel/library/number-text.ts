/** Doubles with a given number of digits, in the manner of the English locale of Go's x/text. */

const FRACTION_BITS = 52n;
const EXPONENT_BIAS = 1075;

/** The double as digits × 10^-precision, rounded half to even from its exact value. */
function scaled(value: number, precision: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const raw = view.getBigUint64(0);
  const biased = Number(raw >> FRACTION_BITS);
  const fraction = raw & ((1n << FRACTION_BITS) - 1n);
  const mantissa = (biased === 0 ? fraction : fraction | (1n << FRACTION_BITS)) * 10n ** BigInt(precision);
  const exponent = Math.max(biased, 1) - EXPONENT_BIAS;
  if (exponent >= 0) return mantissa << BigInt(exponent);
  const divisor = 1n << BigInt(-exponent);
  const quotient = mantissa / divisor;
  const twice = (mantissa % divisor) * 2n;
  return twice > divisor || (twice === divisor && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? '∞' : '-∞';
}

const sign = (value: number): string => (value < 0 || Object.is(value, -0) ? '-' : '');

/** With a point and thousands parted by commas. */
export function fixedText(value: number, precision: number): string {
  return special(value) ?? plainFixedText(value === 0 ? 0 : value, precision).replace(/\d(?=(?:\d{3})+(?:\.|$))(?<!\.\d*)/g, '$&,');
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
