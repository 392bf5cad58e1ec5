/**
 * The constraints of a claim: devices that must share an attribute's value, or must differ in it.
 *
 * The law of backtracking: a refused `add` changes nothing, and a `remove` undoes exactly the last `add` of the same constraint.
 * Constraints are monotonic: more devices never repair a violation, so pruning at the first one is right.
 */
import type { DeviceConstraint, ResourceClaim } from '#api';
import { type AttributeValues, attributeOf } from './attributes.ts';
import type { DerivedAttributes } from './derived.ts';
import type { DeviceEntry } from './device.ts';
import type { Features } from './features.ts';
import { AllocationError } from './refusal.ts';
import type { DeviceAsk } from './device-ask.ts';

/** One constraint with its state in the current attempt. */
export interface Constraint {
  readonly index: number;
  readonly kind: 'match' | 'distinct';
  readonly attribute: string;
  /** Whether the devices of the request are bound by it. */
  concerns(ask: DeviceAsk): boolean;
  /** Accepts the device for the request, or refuses it and stays as it was. */
  add(ask: DeviceAsk, entry: DeviceEntry): boolean;
  /** Whether `add` would accept the device. */
  accepts(ask: DeviceAsk, entry: DeviceEntry): boolean;
  /** What the constraint compares: the device's values, undefined when it has none. Throws AllocationError when the request derives them and fails. */
  valuesOf(ask: DeviceAsk, entry: DeviceEntry): AttributeValues | undefined;
  /** Undoes the last accepted `add`, which was of this device. */
  remove(ask: DeviceAsk): void;
}

/** The constraints of a claim, in order. Throws AllocationError for one of an unknown kind. */
export function constraintsOf(claim: ResourceClaim, claimKey: string, context: { features: Features; derived: DerivedAttributes }): readonly Constraint[] {
  const constraints = claim.spec.devices?.constraints;
  if (constraints === undefined) return NONE;
  return constraints.map((constraint, index) => {
    const { matchAttribute, distinctAttribute } = constraint;
    if (matchAttribute !== undefined) return new MatchConstraint(constraint, { index, attribute: matchAttribute, ...context });
    if (distinctAttribute !== undefined) return new DistinctConstraint(constraint, { index, attribute: distinctAttribute, ...context });
    throw new AllocationError(`claim ${claimKey}, constraint #${index}: empty constraint (unsupported constraint type?)`);
  });
}

const NONE: readonly Constraint[] = [];

interface ConstraintOptions {
  readonly index: number;
  readonly attribute: string;
  readonly features: Features;
  readonly derived: DerivedAttributes;
}

/** Without the feature a list passes for the first device, and no other value is like it. */
const LIST: AttributeValues = { values: new Set(), isList: true };

const NO_VALUES: AttributeValues = { values: new Set(), isList: false };

/** What both kinds have in common: which requests are concerned, and the values of each accepted device, last one on top. */
abstract class AttributeConstraint implements Constraint {
  abstract readonly kind: 'match' | 'distinct';
  readonly index: number;
  readonly attribute: string;
  readonly #requests: ReadonlySet<string>;
  readonly #lists: boolean;
  readonly #derived: DerivedAttributes;
  /** What devices publish, read once. */
  readonly #published = new Map<DeviceEntry, AttributeValues>();
  /** One entry per accepted device. */
  protected readonly accepted: AttributeValues[] = [];

  constructor(constraint: DeviceConstraint, { index, attribute, features, derived }: ConstraintOptions) {
    this.index = index;
    this.attribute = attribute;
    this.#requests = new Set(constraint.requests);
    this.#lists = features.listTypeAttributes;
    this.#derived = derived;
  }

  add(ask: DeviceAsk, entry: DeviceEntry): boolean {
    if (!this.concerns(ask)) return true;
    const next = this.#next(ask, entry);
    if (next === undefined) return false;
    this.accepted.push(next);
    return true;
  }

  accepts(ask: DeviceAsk, entry: DeviceEntry): boolean {
    return !this.concerns(ask) || this.#next(ask, entry) !== undefined;
  }

  /** What the request derives hides what the driver published. */
  valuesOf(ask: DeviceAsk, entry: DeviceEntry): AttributeValues | undefined {
    const derived = ask.derived.size === 0 ? undefined : this.#derived.valuesOf(ask, entry, this.attribute);
    if (derived !== undefined) return derived;
    let published = this.#published.get(entry);
    if (published === undefined) {
      published = attributeOf(entry, this.attribute) ?? NO_VALUES;
      this.#published.set(entry, published);
    }
    return published === NO_VALUES ? undefined : published;
  }

  #next(ask: DeviceAsk, entry: DeviceEntry): AttributeValues | undefined {
    const values = this.valuesOf(ask, entry);
    if (values === undefined || values.values.size === 0) return undefined;
    if (!this.#lists && values.isList) return this.accepted.length === 0 ? LIST : undefined;
    return this.join(values);
  }

  remove(ask: DeviceAsk): void {
    if (this.concerns(ask)) this.accepted.pop();
  }

  /** The entry to keep for a further device, or undefined when it violates the constraint. */
  protected abstract join(values: AttributeValues): AttributeValues | undefined;

  /** Naming a request covers all its alternatives. */
  concerns(ask: DeviceAsk): boolean {
    return this.#requests.size === 0 || this.#requests.has(ask.parent) || this.#requests.has(ask.name);
  }
}

/** All devices have one value in common: each entry is what was common so far. */
class MatchConstraint extends AttributeConstraint {
  override readonly kind = 'match';

  protected override join(values: AttributeValues): AttributeValues | undefined {
    const common = this.accepted.at(-1);
    if (common === undefined) return values;
    const shared = common.values.intersection(values.values);
    return shared.size === 0 ? undefined : { values: shared, isList: common.isList };
  }
}

/** No two devices have a value in common: each entry is one device's values. */
class DistinctConstraint extends AttributeConstraint {
  override readonly kind = 'distinct';

  protected override join(values: AttributeValues): AttributeValues | undefined {
    return this.accepted.every((other) => other.values.isDisjointFrom(values.values)) ? values : undefined;
  }
}
