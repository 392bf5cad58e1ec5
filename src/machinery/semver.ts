/** Semantic versions as device attributes carry them, with the texts of blang/semver v4. */
import { goQuote } from './go-text.ts';
import { byteLength } from './names.ts';

/** A text that is no version; the message is upstream's. */
export class SemverError extends Error {
  override readonly name = 'SemverError';
}

const DIGITS = /^[0-9]*$/;
const IDENTIFIER = /^[A-Za-z0-9-]*$/;
const UINT64_MAX = 2n ** 64n - 1n;

/** A pre-release identifier: a number, or a text that is not one. */
type Identifier = bigint | string;

/** An immutable version. Build metadata does not count when comparing. */
export class Semver {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly prerelease: readonly Identifier[];
  readonly build: readonly string[];

  private constructor(numbers: readonly [bigint, bigint, bigint], prerelease: readonly Identifier[], build: readonly string[]) {
    [this.major, this.minor, this.patch] = numbers;
    this.prerelease = prerelease;
    this.build = build;
  }

  /** The version that `text` spells strictly, undefined when it spells none. */
  static parse(text: string): Semver | undefined {
    return orUndefined(() => Semver.read(text));
  }

  /** Like parse, but accepts a leading v, leading zeros and fewer than three numbers (CEL's semver(text, true)). */
  static parseTolerant(text: string): Semver | undefined {
    return orUndefined(() => Semver.readTolerant(text));
  }

  /** Strict reading; throws SemverError with upstream's text. */
  static read(text: string): Semver {
    if (text === '') throw new SemverError('Version string empty');
    const [majorText, minorText, rest] = splitThree(text);
    if (majorText === undefined || minorText === undefined || rest === undefined) throw new SemverError('No Major.Minor.Patch elements found');
    const major = numberOf(majorText, 'Major');
    const minor = numberOf(minorText, 'Minor');
    const [unbuilt, build] = cut(rest, '+');
    const [patchText, prerelease] = cut(unbuilt, '-');
    const patch = numberOf(patchText, 'Patch');
    const identifiers = (prerelease ?? []).map(identifierOf);
    for (const part of build ?? []) checkBuild(part);
    return new Semver([major, minor, patch], identifiers, build ?? []);
  }

  /** Tolerant reading; throws SemverError with upstream's text. */
  static readTolerant(text: string): Semver {
    const bare = text.startsWith('v') ? text.slice(1) : text;
    const parts = splitThree(bare).map(withoutLeadingZeros);
    if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? '')) throw new SemverError('short version cannot contain PreRelease/Build meta data');
    while (parts.length < 3) parts.push('0');
    return Semver.read(parts.join('.'));
  }

  /** Orders by major, minor, patch and pre-release. */
  compare(other: Semver): -1 | 0 | 1 {
    return (
      order(this.major, other.major) || order(this.minor, other.minor) || order(this.patch, other.patch) || comparePrerelease(this.prerelease, other.prerelease)
    );
  }

  /** The version's text. */
  toString(): string {
    const prerelease = this.prerelease.length === 0 ? '' : `-${this.prerelease.join('.')}`;
    const build = this.build.length === 0 ? '' : `+${this.build.join('.')}`;
    return `${this.major}.${this.minor}.${this.patch}${prerelease}${build}`;
  }
}

function orUndefined(read: () => Semver): Semver | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SemverError) return undefined;
    throw error;
  }
}

/** At most three parts; the third keeps its dots. */
function splitThree(text: string): string[] {
  const first = text.indexOf('.');
  if (first < 0) return [text];
  const second = text.indexOf('.', first + 1);
  if (second < 0) return [text.slice(0, first), text.slice(first + 1)];
  return [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)];
}

function cut(text: string, mark: string): [string, string[] | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1).split('.')];
}

function withoutLeadingZeros(part: string): string {
  if (byteLength(part) < 2) return part;
  const trimmed = part.replace(/^0+/, '');
  return /^[0-9]/.test(trimmed) ? trimmed : `0${trimmed}`;
}

function numberOf(text: string, what: 'Major' | 'Minor' | 'Patch'): bigint {
  if (!DIGITS.test(text)) throw new SemverError(`Invalid character(s) found in ${what.toLowerCase()} number ${goQuote(text)}`);
  if (hasLeadingZeros(text)) throw new SemverError(`${what} number must not contain leading zeroes ${goQuote(text)}`);
  return uint64Of(text);
}

function hasLeadingZeros(text: string): boolean {
  return text.length > 1 && text.startsWith('0');
}

function uint64Of(digits: string): bigint {
  if (digits === '') throw new SemverError('strconv.ParseUint: parsing "": invalid syntax');
  // Twenty digits hold every uint64, so no huge text is turned into a number.
  const value = digits.length > 20 ? undefined : BigInt(digits);
  if (value === undefined || value > UINT64_MAX) throw new SemverError(`strconv.ParseUint: parsing ${goQuote(digits)}: value out of range`);
  return value;
}

function identifierOf(text: string): Identifier {
  if (text === '') throw new SemverError('Prerelease is empty');
  if (DIGITS.test(text)) {
    if (hasLeadingZeros(text)) throw new SemverError(`Numeric PreRelease version must not contain leading zeroes ${goQuote(text)}`);
    return uint64Of(text);
  }
  if (!IDENTIFIER.test(text)) throw new SemverError(`Invalid character(s) found in prerelease ${goQuote(text)}`);
  return text;
}

function checkBuild(text: string): void {
  if (text === '') throw new SemverError('Build meta data is empty');
  if (!IDENTIFIER.test(text)) throw new SemverError(`Invalid character(s) found in build meta data ${goQuote(text)}`);
}

function order<T extends bigint | string | number>(a: T, b: T): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}

function comparePrerelease(a: readonly Identifier[], b: readonly Identifier[]): -1 | 0 | 1 {
  // A release comes after its pre-releases.
  if (a.length === 0) return b.length === 0 ? 0 : 1;
  if (b.length === 0) return -1;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = compareIdentifiers(a[i] ?? 0n, b[i] ?? 0n);
    if (difference !== 0) return difference;
  }
  return order(a.length, b.length);
}

/** A number comes before a text. */
function compareIdentifiers(a: Identifier, b: Identifier): -1 | 0 | 1 {
  if (typeof a === 'bigint') return typeof b === 'bigint' ? order(a, b) : -1;
  return typeof b === 'bigint' ? 1 : order(a, b);
}
