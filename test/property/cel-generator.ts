/** Random expressions over random devices, made from bytes. */
import type { CelRequest } from '../conformance/cel-oracle.ts';
import { GRAMMAR, type Sort } from './cel-grammar.ts';
import type { Entropy } from './entropy.ts';

const SORTS = Object.keys(GRAMMAR).filter(isSort);

function isSort(name: string): name is Sort {
  return Object.hasOwn(GRAMMAR, name);
}

/** Deepest nesting of productions: enough for all of them to meet, little enough to be read. */
const DEPTH_MAX = 4;

class Writer {
  readonly #entropy: Entropy;
  readonly #variables: { readonly name: string; readonly sort: Sort }[] = [];
  #named = 0;

  constructor(entropy: Entropy) {
    this.#entropy = entropy;
  }

  write(sort: Sort, depth: number): string {
    const odd = this.#entropy.onceIn(60) ? this.#entropy.pick(SORTS, sort) : sort;
    const known = this.#variables.filter((variable) => variable.sort === odd);
    const [first] = known;
    if (first !== undefined && this.#entropy.below(2) === 1) return this.#entropy.pick(known, first).name;
    const { leaves, nodes } = GRAMMAR[odd];
    if (depth === 0 || this.#entropy.isSpent || this.#entropy.below(4) === 0) return this.#entropy.pick(leaves, 'true');
    return this.#fill(this.#entropy.pick(nodes, 'true'), depth - 1);
  }

  /** Replaces the holes of a production; its variables live until its end. */
  #fill(production: string, depth: number): string {
    const outer = this.#variables.length;
    const text = production.replace(/\{([a-zA-Z]{1,3})\}|\$([a-zA-Z]{1,2})/g, (hole, sort: string | undefined, declared: string | undefined) => {
      if (declared !== undefined && isSort(declared)) return this.#declare(declared);
      return sort !== undefined && isSort(sort) ? this.write(sort, depth) : hole;
    });
    this.#variables.length = outer;
    return text;
  }

  #declare(sort: Sort): string {
    const name = `v${this.#named++}`;
    this.#variables.push({ name, sort });
    return name;
  }
}

/** A random expression of the sort. */
export function randomExpression(entropy: Entropy, sort: Sort): string {
  return new Writer(entropy).write(sort, DEPTH_MAX);
}

const PIECES = [
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '.',
  ',',
  '?',
  ':',
  '&&',
  '||',
  '!',
  '-',
  '+',
  '==',
  '<',
  'in',
  'true',
  'null',
  ' ',
  '\\',
  '`',
  '1',
  '0x',
  'é',
  '😀',
  '\n',
  'x',
  '.?',
  '//',
  'has(',
  '.map(',
  'b"',
  'r"',
];

/** The text with a few pieces taken out, put in or repeated. */
export function mutated(entropy: Entropy, text: string): string {
  let out = Array.from(text);
  for (let times = 1 + entropy.below(4); times > 0; times--) {
    const at = entropy.below(out.length + 1);
    const length = entropy.below(6);
    const change = entropy.below(4);
    if (change === 0) out.splice(at, length);
    else if (change === 1) out.splice(at, 0, entropy.pick(PIECES, ''));
    else if (change === 2) out.splice(at, 0, ...out.slice(at, at + 1 + length));
    else out = [...out.slice(0, at), entropy.pick(PIECES, ''), ...out.slice(at + 1)];
  }
  return out.join('');
}

type Device = NonNullable<CelRequest['device']>;

const ATTRIBUTES: Readonly<Record<string, readonly NonNullable<Device['attributes']>[string][]>> = {
  model: [{ string: 'a100' }, { string: '' }, { int: 5 }],
  index: [{ int: 4 }, { int: 0 }, { int: -1 }, { string: '7' }],
  healthy: [{ bool: true }, { bool: false }, { version: '1.0.0' }],
  driverVersion: [{ version: '550.54.15' }, { version: '1.2.3-rc.1+b' }, { string: '1.2.3' }],
  tags: [{ strings: ['fast', 'a'] }, { strings: ['b'] }, { string: 'a' }],
  numa: [{ ints: [1, 0] }, { ints: [3, 3, 7] }, { versions: ['1.0.0', '2.0.0'] }, { bools: [true] }],
  'other.org/rack': [{ string: 'r7' }, { int: 2 }],
};

/** A random device: every attribute may be of one kind or another, or absent. */
export function randomDevice(entropy: Entropy): Device {
  const attributes: Record<string, NonNullable<Device['attributes']>[string]> = {};
  for (const [name, values] of Object.entries(ATTRIBUTES)) {
    const value = values[entropy.below(values.length + 1)];
    if (value !== undefined) attributes[name] = value;
  }
  const capacity = entropy.below(3) === 0 ? {} : { memory: { value: entropy.pick(['40Gi', '500m', '0'], '1') } };
  return { driver: 'dra.example.com', attributes, capacity, allowMultipleAllocations: entropy.below(2) === 1 };
}

/** A random request of the oracle: a selector with devices, or a derived attribute. */
export function randomRequest(entropy: Entropy): CelRequest {
  const features = { consumableCapacity: !entropy.onceIn(8), listTypeAttributes: entropy.below(2) === 1 };
  const derives = entropy.onceIn(4);
  const device = randomDevice(entropy);
  const other = randomDevice(entropy);
  const written = randomExpression(entropy, derives ? entropy.pick(SORTS, 's') : 'b');
  const expression = entropy.onceIn(25) ? mutated(entropy, written) : written;
  if (derives) return { op: 'derive', expression, features, device };
  return { op: 'selector', expression, features, devices: [device, other] };
}
