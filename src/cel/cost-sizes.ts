/** How large the parts of `device` can be (dynamic-resource-allocation/cel/compile.go, sizeEstimator). */
import { type Range, upTo } from './cost-range.ts';

/** A declared type with its bound: most elements of a map, most characters of a text, 0 where none is declared. */
interface SizedType {
  readonly maxElements: bigint;
  readonly fields?: ReadonlyMap<string, SizedType>;
  readonly key?: SizedType;
  readonly element?: SizedType;
}

const text = (maxElements: bigint): SizedType => ({ maxElements });

/** Limits of resource/v1 types.go. */
const DRIVER_NAME_MAX_LENGTH = 63n;
const DEVICE_MAX_DOMAIN_LENGTH = 63n;
const DEVICE_MAX_ID_LENGTH = 32n;
const DEVICE_ATTRIBUTE_MAX_VALUE_LENGTH = 64n;
const MAX_ATTRIBUTES_AND_CAPACITIES_PER_DEVICE = 32n;

const ATTRIBUTE = text(DEVICE_ATTRIBUTE_MAX_VALUE_LENGTH);
const QUANTITY: SizedType = { maxElements: 0n };

function byDomain(value: SizedType): SizedType {
  const byId: SizedType = { maxElements: MAX_ATTRIBUTES_AND_CAPACITIES_PER_DEVICE, key: text(DEVICE_MAX_ID_LENGTH), element: value };
  return { maxElements: MAX_ATTRIBUTES_AND_CAPACITIES_PER_DEVICE, key: text(DEVICE_MAX_DOMAIN_LENGTH), element: byId };
}

const DEVICE: SizedType = {
  maxElements: 0n,
  fields: new Map([
    ['driver', text(DRIVER_NAME_MAX_LENGTH)],
    ['allowMultipleAllocations', { maxElements: 1n }],
    ['attributes', byDomain(ATTRIBUTE)],
    ['capacity', byDomain(QUANTITY)],
  ]),
};

/**
 * An access path from a variable. Upstream's are Go slices: paths that go on from the same one share its spare room, so the
 * later step takes the place of the earlier, and estimates show it.
 */
export class Path {
  /** How many steps there are. */
  readonly length: number;
  readonly #shared: string[];
  readonly #capacity: number;

  constructor(shared: string[] = [], length = 0, capacity = 0) {
    this.#shared = shared;
    this.length = length;
    this.#capacity = capacity;
  }

  /** The steps as they are now. */
  get steps(): readonly string[] {
    return this.#shared.slice(0, this.length);
  }

  /** The path with one more step. */
  by(step: string): Path {
    const hasRoom = this.length < this.#capacity;
    const shared = hasRoom ? this.#shared : this.#shared.slice(0, this.length);
    shared[this.length] = step;
    return new Path(shared, this.length + 1, hasRoom ? this.#capacity : Math.max(1, this.#capacity * 2));
  }

  /** The path in a room of its own. */
  copy(): Path {
    return new Path(this.#shared.slice(0, this.length), this.length, this.length);
  }
}

/** The bound of what an access path leads to; undefined when it leads out of `device`. `@keys`, `@values` and `@items` stand for any key or element. */
export function sizeAt({ steps }: Path): Range | undefined {
  if (steps[0] !== 'device') return undefined;
  let type: SizedType | undefined = DEVICE;
  for (const step of steps.slice(1)) type = type === undefined ? undefined : next(type, step);
  return type === undefined ? undefined : upTo(type.maxElements);
}

function next(type: SizedType, step: string): SizedType | undefined {
  if (step === '@items' || step === '@values') return type.element;
  if (step === '@keys') return type.key;
  // Selecting an attribute by name is bounded as indexing is; selecting a capacity is not.
  return type.fields?.get(step) ?? (type.element === ATTRIBUTE ? ATTRIBUTE : undefined);
}
