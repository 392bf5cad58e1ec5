/** Reads the text of a quantity, keeping apart upstream's fast path and its slow one (resource.ParseQuantity). */
import { pow10 } from './quantity-scale.ts';

/** How a quantity prints: with Ki, Mi…; with k, M…; or with an exponent. */
export type QuantityFormat = 'BinarySI' | 'DecimalSI' | 'DecimalExponent';

/**
 * A quantity is unscaled × 10^exponent. Upstream keeps it in one of two ways, and some of its figures tell which: an int64 with a
 * scale ("int64") or an arbitrary decimal ("decimal"). The text is kept while it is the canonical form.
 */
export interface QuantityParts {
  readonly unscaled: bigint;
  readonly exponent: number;
  readonly form: 'int64' | 'decimal';
  readonly format: QuantityFormat;
  readonly text?: string | undefined;
}

/** A text that is no quantity; the message is upstream's. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

const ERR_FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const ERR_SUFFIX = "unable to parse quantity's suffix";

const SHAPE = /^([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const EXPONENT = /^[eE][+-]?[0-9]+$/;

/** Digits an int64 always holds (maxInt64Factors). */
const MAX_INT64_FACTORS = 18;
/** Finest exponent (Nano). */
const NANO = -9;
/** The largest absolute value of a BinarySI text (maxAllowed). */
const MAX_ALLOWED = 2n ** 63n - 1n;
/** Largest exponent that amounts are spelled out with; upstream computes for minutes. */
const EXPONENT_MAX = 99_999;
/** Below this every amount is less than 1n however many digits it has, and rounds up to 1n. */
const EXPONENT_MIN = -99_999;

interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

const SUFFIXES: ReadonlyMap<string, Suffix> = new Map<string, Suffix>([
  ...Object.entries({ n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }).map(decimalSuffix),
  ...Object.entries({ Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }).map(binarySuffix),
]);

function decimalSuffix([suffix, exponent]: [string, number]): [string, Suffix] {
  return [suffix, { base: 10, exponent, format: 'DecimalSI' }];
}

function binarySuffix([suffix, exponent]: [string, number]): [string, Suffix] {
  return [suffix, { base: 2, exponent, format: 'BinarySI' }];
}

/** The parts of the quantity that `text` spells; throws QuantityError. */
export function parseQuantityText(text: string): QuantityParts {
  const match = text === '' ? null : SHAPE.exec(text);
  if (match === null) throw new QuantityError(ERR_FORMAT_WRONG);
  const [, sign = '', integer = '', fraction = '', suffixText = ''] = match;
  const suffix = interpret(suffixText);
  const negative = sign === '-';
  const digits = integer === '' ? '0' : integer;
  return fastPath(text, { negative, digits, fraction, suffix }) ?? slowPath({ negative, digits, fraction, suffix });
}

interface Scanned {
  readonly negative: boolean;
  /** Digits before the point without leading zeros, at least one. */
  readonly digits: string;
  readonly fraction: string;
  readonly suffix: Suffix;
}

function interpret(text: string): Suffix {
  const known = SUFFIXES.get(text);
  if (known !== undefined) return known;
  if (!EXPONENT.test(text)) throw new QuantityError(ERR_SUFFIX);
  // Upstream keeps 32 bits of the exponent.
  const written = BigInt(text.slice(1).replace('+', ''));
  if (BigInt.asIntN(64, written) !== written) throw new QuantityError(ERR_SUFFIX);
  const exponent = Number(BigInt.asIntN(32, written));
  return { base: 10, exponent: Math.max(exponent, EXPONENT_MIN), format: 'DecimalExponent' };
}

/** Amounts that fit an int64 with a scale; the text is kept when it looks canonical. */
function fastPath(text: string, { negative, digits, fraction, suffix }: Scanned): QuantityParts | undefined {
  const shifted = digits + fraction;
  if (suffix.base === 2) {
    // 2^10 takes about three digits.
    const precision = 15 - digits.length - Math.trunc((suffix.exponent * 3) / 10) - 1;
    if (fraction !== '' || precision < 0) return undefined;
    const mantissa = BigInt(digits);
    const value = mantissa << BigInt(suffix.exponent);
    const kept = (mantissa & 7n) !== 0n;
    return { unscaled: negative ? -value : value, exponent: 0, form: 'int64', format: 'BinarySI', text: kept ? text : undefined };
  }
  const exponent = suffix.exponent - fraction.length;
  if (shifted.length > MAX_INT64_FACTORS || exponent < NANO) return undefined;
  const value = BigInt(shifted);
  const kept = exponent % 3 === 0 && !shifted.endsWith('000') && !shifted.startsWith('0');
  return { unscaled: negative ? -value : value, exponent, form: 'int64', format: suffix.format, text: kept ? text : undefined };
}

/** Everything else: rounded up to whole nanos, BinarySI capped. */
function slowPath({ negative, digits, fraction, suffix }: Scanned): QuantityParts {
  let format = suffix.format;
  let amount = BigInt(digits + fraction);
  let exponent = -fraction.length;
  if (suffix.base === 10) exponent += suffix.exponent;
  else amount <<= BigInt(suffix.exponent);
  amount = toNanos(amount, exponent);
  if (format === 'BinarySI') {
    const cap = MAX_ALLOWED * pow10(-NANO);
    // The cap itself has no fraction digits upstream.
    if (amount > cap) return { unscaled: negative ? -MAX_ALLOWED : MAX_ALLOWED, exponent: 0, form: 'decimal', format };
    if (amount > 0n && amount < pow10(-NANO)) format = 'DecimalSI';
  }
  return { unscaled: negative ? -amount : amount, exponent: NANO, form: 'decimal', format };
}

function toNanos(amount: bigint, exponent: number): bigint {
  if (exponent > EXPONENT_MAX) throw new QuantityError(ERR_SUFFIX);
  if (exponent >= NANO) return amount * pow10(exponent - NANO);
  const divisor = pow10(NANO - exponent);
  return amount % divisor === 0n ? amount / divisor : amount / divisor + 1n;
}
