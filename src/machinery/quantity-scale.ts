/** Scaling whole numbers by powers of ten, with upstream's rounding and its int64 wrapping (api/resource/math.go). */

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
/** Powers of ten from 10^19 on do not fit an int64 (scaledValue's log10MaxInt64). */
const LOG10_MAX_INT64 = 19;
/** Shifts that positiveScaleInt64 makes in one multiplication, which wraps; it makes the others digit by digit and gives up. */
const WRAPPING_SHIFTS: ReadonlySet<number> = new Set([1, 2, 3, 6, 9]);
const POWERS: bigint[] = [1n];

/** 10 to the `exponent` >= 0; small ones are kept. */
export function pow10(exponent: number): bigint {
  if (exponent > 64) return 10n ** BigInt(exponent);
  for (let i = POWERS.length; i <= exponent; i++) POWERS.push(10n ** BigInt(i));
  return POWERS[exponent] ?? 1n;
}

/** Decimal digits of `value` without its sign. */
export function digitCount(value: bigint): number {
  const text = value.toString();
  return text.startsWith('-') ? text.length - 1 : text.length;
}

/** `value` divided by `factor` as often as that leaves no remainder; `value` is not 0. */
export function factorsOf(value: bigint, factor: bigint): { rest: bigint; times: number } {
  let rest = value;
  let times = 0;
  while (rest % factor === 0n) {
    rest /= factor;
    times++;
  }
  return { rest, times };
}

/** int64Amount.AsScaledInt64: `value` × 10^`shift`, rounded away from zero; where int64 ends it wraps or gives 0. */
export function scaledInt64(value: bigint, shift: number): bigint {
  if (value === 0n || shift === 0) return value;
  if (shift > 0) {
    if (WRAPPING_SHIFTS.has(shift)) return value === INT64_MIN ? 0n : BigInt.asIntN(64, value * pow10(shift));
    if (digitCount(value) + shift > LOG10_MAX_INT64) return 0n;
    const scaled = value * pow10(shift);
    return scaled > INT64_MAX || scaled < INT64_MIN ? 0n : scaled;
  }
  const divisor = pow10(-shift);
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value > 0n ? quotient + 1n : quotient - 1n;
}

/** scaledValue: `unscaled` × 10^`shift`, rounded up, the low 64 bits where int64 ends. */
export function scaledDecimal(unscaled: bigint, shift: number): bigint {
  const asInt64 = (value: bigint): bigint => BigInt.asIntN(64, value);
  if (shift === 0) return asInt64(unscaled);
  if (shift > 0) return asInt64(asInt64(unscaled) * asInt64(shift < LOG10_MAX_INT64 ? pow10(shift) : INT64_MIN));
  const divisor = pow10(-shift);
  if (unscaled < INT64_MAX && -shift < LOG10_MAX_INT64) {
    const low = asInt64(unscaled);
    return low % divisor === 0n ? low / divisor : low / divisor + 1n;
  }
  // Euclidean division, as big.Int.DivMod: the remainder is never negative.
  const remainder = ((unscaled % divisor) + divisor) % divisor;
  const quotient = (unscaled - remainder) / divisor;
  return remainder === 0n ? asInt64(quotient) : asInt64(quotient) + 1n;
}
