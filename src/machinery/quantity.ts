/** Quantity: an exact amount with a unit suffix, printing as upstream prints it (apimachinery api/resource). */
import { assert } from '#base';
import { parseQuantityText, QuantityError, type QuantityFormat, type QuantityParts } from './quantity-text.ts';
import { digitCount, factorsOf, pow10, scaledInt64, scaledDecimal } from './quantity-scale.ts';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
/** Most powers of ten that an amount is spelled out with. */
const MAX_SHIFT = 200_000;
const DECIMAL_SUFFIXES: ReadonlyMap<number, string> = new Map([
  [-9, 'n'],
  [-6, 'u'],
  [-3, 'm'],
  [0, ''],
  [3, 'k'],
  [6, 'M'],
  [9, 'G'],
  [12, 'T'],
  [15, 'P'],
  [18, 'E'],
]);
const BINARY_SUFFIXES: readonly string[] = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** An immutable amount. Arithmetic is exact and returns a new quantity in the receiver's format. */
export class Quantity {
  /** How the quantity prints. */
  readonly format: QuantityFormat;
  readonly #unscaled: bigint;
  readonly #exponent: number;
  readonly #decimal: boolean;
  /** The amount where a double holds it exactly, otherwise NaN: comparing and adding then need no bigint. */
  readonly #small: number;
  #text: string | undefined;

  private constructor(parts: QuantityParts) {
    this.format = parts.format;
    this.#unscaled = parts.unscaled;
    this.#exponent = parts.exponent;
    this.#decimal = parts.form === 'decimal';
    this.#text = parts.text;
    this.#small = smallNumber(parts);
  }

  /** Reads a quantity such as `1500m`, `2Gi` or `1e3`; throws QuantityError with upstream's text. */
  static parse(text: string): Quantity {
    return new Quantity(parseQuantityText(text));
  }

  /** Reads the JSON form: a string, a bare number, or null for zero; `source` is the JSON text. Throws QuantityError. */
  static fromJsonText(source: string): Quantity {
    if (source === 'null') return Quantity.of(0);
    const inner = source.length >= 2 && source.startsWith('"') && source.endsWith('"') ? source.slice(1, -1) : source;
    return Quantity.parse(inner.trim());
  }

  /** A whole number as a quantity. */
  static of(value: bigint | number, format: QuantityFormat = 'DecimalSI'): Quantity {
    assert(typeof value === 'bigint' || Number.isSafeInteger(value), `a quantity is made of an exact whole number, not ${value}`);
    return Quantity.#make(BigInt(value), 0, false, format);
  }

  static #make(unscaled: bigint, exponent: number, decimal: boolean, format: QuantityFormat): Quantity {
    return new Quantity({ unscaled, exponent, form: decimal || unscaled !== BigInt.asIntN(64, unscaled) ? 'decimal' : 'int64', format });
  }

  /** Orders two amounts, whatever their formats. */
  compare(other: Quantity): -1 | 0 | 1 {
    const a = this.#small;
    const b = other.#small;
    if (a === a && b === b) return a < b ? -1 : a > b ? 1 : 0;
    return this.#compareExactly(other);
  }

  /** Whether this and another amount are together more than `limit`; the sum itself is not made where doubles will do. */
  exceedsWith(other: Quantity, limit: Quantity): boolean {
    const sum = this.#small + other.#small;
    // The sum of two exact doubles may be rounded, but not across a third.
    if (sum === sum && limit.#small === limit.#small) return sum > limit.#small;
    return this.add(other).compare(limit) > 0;
  }

  #compareExactly(other: Quantity): -1 | 0 | 1 {
    const sign = this.sign();
    if (sign !== other.sign()) return sign < other.sign() ? -1 : 1;
    if (sign === 0) return 0;
    // The number of digits before the point decides without scaling, however far apart the exponents are.
    const magnitude = digitCount(this.#unscaled) + this.#exponent - (digitCount(other.#unscaled) + other.#exponent);
    if (magnitude !== 0) return magnitude > 0 === sign > 0 ? 1 : -1;
    const shift = this.#exponent - other.#exponent;
    const left = shift > 0 ? this.#unscaled * pow10(shift) : this.#unscaled;
    const right = shift < 0 ? other.#unscaled * pow10(-shift) : other.#unscaled;
    return left < right ? -1 : left > right ? 1 : 0;
  }

  /** Whether the amounts are the same, whatever their formats: `1024Mi` equals `1Gi`. */
  equals(other: Quantity): boolean {
    return this.compare(other) === 0;
  }

  /** The sum, in this format (in the other's when this is zero). */
  add(other: Quantity): Quantity {
    return this.#plus(other, other.#unscaled);
  }

  /** The difference, in this format (in the other's when this is zero). */
  sub(other: Quantity): Quantity {
    return this.#plus(other, -other.#unscaled);
  }

  #plus(other: Quantity, addend: bigint): Quantity {
    const format = this.isZero() ? other.format : this.format;
    const decimal = this.#decimal || other.#decimal;
    if (!decimal && addend === 0n) return Quantity.#make(this.#unscaled, this.#exponent, false, format);
    if (!decimal && this.#unscaled === 0n) return Quantity.#make(addend, other.#exponent, false, format);
    const shift = this.#exponent - other.#exponent;
    // Beyond this nothing of the smaller amount could ever be seen; upstream would compute for minutes.
    if (Math.abs(shift) > MAX_SHIFT)
      return shift > 0 ? Quantity.#make(this.#unscaled, this.#exponent, decimal, format) : Quantity.#make(addend, other.#exponent, decimal, format);
    const left = shift > 0 ? this.#unscaled * pow10(shift) : this.#unscaled;
    const right = shift < 0 ? addend * pow10(-shift) : addend;
    return Quantity.#make(left + right, Math.min(this.#exponent, other.#exponent), decimal, format);
  }

  /** The product with a whole number, in this format. */
  mul(times: bigint | number): Quantity {
    return Quantity.#make(this.#unscaled * BigInt(times), this.#exponent, this.#decimal, this.format);
  }

  /** The amount with the opposite sign. */
  neg(): Quantity {
    return Quantity.#make(-this.#unscaled, this.#exponent, this.#decimal, this.format);
  }

  /** Whether the amount is zero. */
  isZero(): boolean {
    return this.#unscaled === 0n;
  }

  /** -1, 0 or 1. */
  sign(): -1 | 0 | 1 {
    return this.#unscaled === 0n ? 0 : this.#unscaled < 0n ? -1 : 1;
  }

  /** The amount in whole units, rounded up as upstream's Value(): it wraps or gives 0 where int64 ends. */
  value(): bigint {
    return this.#scaled(0);
  }

  /** The amount in thousandths, rounded up as upstream's MilliValue(): it wraps or gives 0 where int64 ends. */
  milliValue(): bigint {
    return this.#scaled(-3);
  }

  #scaled(exponent: number): bigint {
    if (this.#decimal) return scaledDecimal(this.#unscaled, this.#exponent - exponent);
    return scaledInt64(this.#unscaled, this.#exponent - exponent);
  }

  /** The amount when it is a whole number that upstream's AsInt64() represents, otherwise undefined. */
  asInt64(): bigint | undefined {
    if (this.#decimal || this.#exponent < 0) return undefined;
    if (this.#unscaled === 0n) return 0n;
    if (digitCount(this.#unscaled) + this.#exponent > 19) return undefined;
    const value = this.#unscaled * pow10(this.#exponent);
    return value > INT64_MAX || value < INT64_MIN ? undefined : value;
  }

  /** The exact amount in units of 10^`exponent` when that is a whole number of at most some hundred thousand digits, otherwise undefined. */
  exactly(exponent: number): bigint | undefined {
    const shift = this.#exponent - exponent;
    if (shift > MAX_SHIFT) return undefined;
    if (shift >= 0) return this.#unscaled * pow10(shift);
    const divisor = pow10(-shift);
    return this.#unscaled % divisor === 0n ? this.#unscaled / divisor : undefined;
  }

  /** The nearest double, give or take a rounding (upstream's AsApproximateFloat64). */
  approximate(): number {
    const base = Number(this.#unscaled);
    return this.#exponent === 0 ? base : base * Number(`1e${this.#exponent}`);
  }

  /** The canonical form, or the text read while that counts as canonical. */
  toString(): string {
    this.#text ??= this.#canonical();
    return this.#text;
  }

  /** The JSON form: a string. */
  toJSON(): string {
    return this.toString();
  }

  #canonical(): string {
    if (this.isZero()) return '0';
    if (this.format === 'BinarySI') {
      const whole = this.exactly(0);
      if (whole !== undefined && (whole <= -1024n || whole >= 1024n)) return binaryText(whole);
    }
    return this.#decimalText(this.format === 'DecimalExponent');
  }

  #decimalText(exponential: boolean): string {
    const { rest, times } = factorsOf(this.#unscaled, 10n);
    const reduced = this.#exponent + times;
    const aligned = Math.floor(reduced / 3) * 3;
    const digits = rest * pow10(reduced - aligned);
    // Beyond exa there is no suffix, and upstream prints none (1000E prints as 1).
    if (!exponential) return `${digits}${DECIMAL_SUFFIXES.get(aligned) ?? ''}`;
    return aligned === 0 ? digits.toString() : `${digits}e${aligned}`;
  }
}

/** The quantity that `text` spells, undefined when it spells none. */
export function parseQuantity(text: string): Quantity | undefined {
  try {
    return Quantity.parse(text);
  } catch (error) {
    if (error instanceof QuantityError) return undefined;
    throw error;
  }
}

function smallNumber({ unscaled, exponent }: QuantityParts): number {
  if (exponent < 0 || exponent > 15) return Number.NaN;
  // 10 to the 0..15 is exact, and a product within the safe range of exact factors is exact.
  const value = exponent === 0 ? Number(unscaled) : Number(unscaled) * 10 ** exponent;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

function binaryText(whole: bigint): string {
  const { rest, times } = factorsOf(whole, 1024n);
  return `${rest}${BINARY_SUFFIXES[times] ?? ''}`;
}
