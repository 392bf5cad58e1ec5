/** Sets of CEL selectors as requests use them, compiled once, with their verdicts; shared by all searches and bounded in number. */
import type { DeviceSelector } from '#api';
import { compileSelector, type Selector } from '#cel';
import type { DeviceEntry } from './device.ts';
import type { Features } from './features.ts';

/** Distinct sets kept, with what they compiled. Upstream keeps 10 selectors per scheduler, which a few device classes exhaust. */
export const SELECTORS_MAX = 512;

/** Verdict of a set on a device: not known yet, matches, fails with an error; the selector that says no is counted from FIRST_FALSE. */
const UNKNOWN = 0;
const MATCHES = 1;
const FAILS = -1;
const FIRST_FALSE = 2;

/** Where a selector failed, and how. */
export class SelectorFailure extends Error {
  override readonly name = 'SelectorFailure';
  /** Its place in the set. */
  readonly index: number;
  /** It is the device that the expression stumbled over, not the expression that is wrong. */
  readonly onDevice: boolean;

  constructor(index: number, onDevice: boolean, message: string) {
    super(message);
    this.index = index;
    this.onDevice = onDevice;
  }
}

/** A compiled selector, or why it does not compile. */
type Compiled = { readonly selector: Selector } | { readonly error: string };

/** The selectors of a class followed by those of a request. A device's verdict is computed once per version of its slice. */
export class SelectorSet {
  /** Equal for equal selectors. */
  readonly key: string;
  /** How many of the selectors are the class's. */
  readonly classCount: number;
  readonly #expressions: readonly (string | undefined)[];
  /** By place; compiled when a device first gets so far. */
  readonly #compiled: Compiled[] = [];
  readonly #features: Features;

  constructor(key: string, selectors: { readonly ofClass: readonly DeviceSelector[]; readonly ofRequest: readonly DeviceSelector[] }, features: Features) {
    const { ofClass, ofRequest } = selectors;
    this.key = key;
    this.classCount = ofClass.length;
    this.#expressions = [...ofClass, ...ofRequest].map(({ cel }) => cel?.expression);
    this.#features = features;
  }

  /** The place of the first selector that the device does not meet, or -1 when it meets all. Throws SelectorFailure. */
  firstFalse(entry: DeviceEntry): number {
    if (this.#expressions.length === 0) return -1;
    let verdicts = entry.slice.verdicts.get(this);
    if (verdicts === undefined) {
      verdicts = new Int8Array(entry.slice.devices.length);
      entry.slice.verdicts.set(this, verdicts);
    }
    let verdict = verdicts[entry.index] ?? UNKNOWN;
    if (verdict === UNKNOWN || verdict === FAILS) {
      // A failure is met again to give its text.
      verdicts[entry.index] = FAILS;
      verdict = this.#evaluate(entry);
      verdicts[entry.index] = verdict;
    }
    return verdict === MATCHES ? -1 : verdict - FIRST_FALSE;
  }

  #evaluate(entry: DeviceEntry): number {
    for (const [index, expression] of this.#expressions.entries()) {
      if (expression === undefined) throw new SelectorFailure(index, false, 'CEL expression empty (unsupported selector type?)');
      const compiled = (this.#compiled[index] ??= compileFor(expression, this.#features));
      if ('error' in compiled) throw new SelectorFailure(index, false, `CEL compile error: ${compiled.error}`);
      const result = compiled.selector.evaluate(entry.cel);
      if (result.kind === 'error') throw new SelectorFailure(index, true, `CEL runtime error: ${result.message}`);
      if (!result.matches) return FIRST_FALSE + index;
    }
    return MATCHES;
  }
}

/** Keeps the most recently used sets of selectors. */
export class SelectorCache {
  readonly #sets = new Map<string, SelectorSet>();
  /** The sets of requests without selectors of their own, by the class's list. */
  readonly #ofClasses = new WeakMap<readonly DeviceSelector[], { readonly features: Features; readonly set: SelectorSet }>();

  /** The one set of these selectors under these features: equal selectors give the same set, so that its verdicts are shared. */
  setOf(ofClass: readonly DeviceSelector[], ofRequest: readonly DeviceSelector[], features: Features): SelectorSet {
    const known = ofRequest.length === 0 ? this.#ofClasses.get(ofClass) : undefined;
    if (known !== undefined && known.features === features) return known.set;
    const set = this.#equalSet(ofClass, ofRequest, features);
    if (ofRequest.length === 0) this.#ofClasses.set(ofClass, { features, set });
    return set;
  }

  #equalSet(ofClass: readonly DeviceSelector[], ofRequest: readonly DeviceSelector[], features: Features): SelectorSet {
    const key = `${flagsOf(features)}${ofClass.map(keyOf).join('')}|${ofRequest.map(keyOf).join('')}`;
    return remembered(this.#sets, key, () => new SelectorSet(key, { ofClass, ofRequest }, features));
  }
}

/** Length first, so that no expression can pretend to be two. */
function keyOf({ cel }: DeviceSelector): string {
  return cel === undefined ? '-' : `${cel.expression.length}:${cel.expression}`;
}

/** What the meaning of an expression depends on. */
function flagsOf({ listTypeAttributes, consumableCapacity }: Features): string {
  return `${listTypeAttributes ? 'L' : '-'}${consumableCapacity ? 'C' : '-'}`;
}

/** The value of the key, made when it is missing; the one that was not used for longest makes room. */
function remembered<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const known = cache.get(key);
  const value = known ?? make();
  if (known !== undefined && cache.size < SELECTORS_MAX / 2) return known;
  cache.delete(key);
  cache.set(key, value);
  if (cache.size > SELECTORS_MAX) {
    const [oldest] = cache.keys();
    if (oldest !== undefined) cache.delete(oldest);
  }
  return value;
}

/** Selectors in classes and claims were admitted once, so they are compiled as stored ones. */
function compileFor(expression: string, features: Features): Compiled {
  const gates = new Map([
    ['DRAListTypeAttributes', features.listTypeAttributes],
    ['DRAConsumableCapacity', features.consumableCapacity],
  ]);
  const result = compileSelector(expression, { gates, mode: 'stored' });
  return result.ok ? { selector: result.selector } : { error: result.errors.join('\n') };
}
