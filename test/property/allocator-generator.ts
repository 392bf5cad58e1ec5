/** Small random allocation cases, with every feature of the allocator in reach, small enough to be searched exhaustively. */
import type { OracleCase } from '../conformance/allocator-oracle.ts';
import type { Entropy } from './entropy.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a case may contain. */
export interface Scope {
  /** Also what upstream answers differently on purpose of dray's: docs/compatibility.md, Allocator. */
  readonly quirks: boolean;
}

const DRIVER = 'gpu.example.com';
const OTHER_DRIVER = 'nic.example.com';
const NODES: readonly Json[] = [
  { metadata: { name: 'node-1', labels: { zone: 'a' } }, status: { declaredFeatures: ['DRAOptionalNodeOperations'] } },
  { metadata: { name: 'node-2', labels: { zone: 'b' } } },
];
const FEATURES = [
  'AdminAccess',
  'CompatibilityGroups',
  'ConsumableCapacity',
  'DerivedAttributes',
  'DeviceBindingAndStatus',
  'DeviceTaints',
  'FractionalCapacityRange',
  'ListTypeAttributes',
  'OptionalNodeOperations',
  'PartitionableDevices',
  'PrioritizedList',
];
const SIZES = ['4', '1', '2', '8', '6'];
const MODELS = ['A', 'A', 'B', 'C'];
const TAGS = [['red'], ['red', 'green'], ['green'], ['blue', 'red'], ['green', 'blue']];
const ATTRIBUTES = [`${DRIVER}/model`, `${DRIVER}/numa`, `${DRIVER}/tags`, 'example.org/root', `${DRIVER}/group`];
const own = `device.attributes["${DRIVER}"]`;
const SELECTORS = [
  `${own}.?model.orValue("") == "A"`,
  `${own}.?numa.orValue(0) == 0`,
  `has(${own}.model) && ${own}.model != "B"`,
  `device.driver == "${DRIVER}"`,
  `${own}.?model.orValue("A") == "A"`,
  `"memory" in device.capacity["${DRIVER}"] && device.capacity["${DRIVER}"].memory.compareTo(quantity("2")) >= 0`,
  'true',
  `${own}.model != "C"`,
  'false',
  'device.allowMultipleAllocations',
];
const FAILING = [`${own}.absent == 1`, `${own}.numa`, `${own}.model > 1`];
const TAINTS: readonly Json[] = [
  { key: 'ill', effect: 'NoSchedule' },
  { key: 'worn', value: 'much', effect: 'NoExecute' },
  { key: 'note', effect: 'None' },
];
const TOLERATIONS: readonly (readonly Json[])[] = [
  [{ operator: 'Exists' }],
  [{ key: 'ill', operator: 'Exists' }],
  [
    { key: 'worn', operator: 'Equal', value: 'much' },
    { key: 'ill', operator: 'Equal', value: 'x' },
  ],
];
const POLICIES: readonly Json[] = [
  { default: '1', validRange: { min: '1', step: '1' } },
  { default: '2', validRange: { min: '2', step: '2', max: '4' } },
  { default: '1', validValues: ['1', '3', '4'] },
  { default: '0' },
];
const DERIVED: readonly (readonly Json[])[] = [
  [{ name: `${DRIVER}/group`, expression: `${own}.?model.orValue("none")` }],
  [{ name: `${DRIVER}/group`, expression: `${own}.numa % 2` }],
  [{ name: `${DRIVER}/model`, expression: '"same"' }],
];
const GROUPS = [['x'], ['x', 'y'], ['y']];

/** What is decided once for a case. */
interface Mood {
  readonly from: Entropy;
  readonly scope: Scope;
  readonly counters: boolean;
  readonly groups: boolean;
  readonly capacity: boolean;
  readonly lists: boolean;
  readonly derived: boolean;
  readonly admin: boolean;
}

/** The case that these choices make. */
export function randomCase(from: Entropy, scope: Scope): OracleCase {
  const counters = from.below(2) === 1;
  const mood: Mood = {
    from,
    scope,
    counters,
    groups: counters && from.below(4) === 1,
    capacity: from.below(2) === 1,
    lists: from.below(4) === 1,
    derived: from.below(8) === 1,
    // Looking on costs counters upstream.
    admin: (scope.quirks || !counters) && from.below(6) === 1,
  };
  const slices = times(from, 1, 3).flatMap((number) => pool(mood, number));
  const features = Object.fromEntries(FEATURES.map((name) => [name, from.below(40) !== 1]));
  // The protocol's objects are plain JSON.
  return {
    id: 'random',
    features,
    classes: CLASSES,
    nodes: NODES,
    slices: shuffled(from, slices),
    claims: claims(mood),
    allocated: allocated(mood, slices, features['ConsumableCapacity'] === true),
  } as unknown as OracleCase;
}

/** From `min` to `max` numbers, counted from 0. */
function times(from: Entropy, min: number, max: number): readonly number[] {
  return Array.from({ length: min + from.below(max - min + 1) }, (_, i) => i);
}

function shuffled<T>(from: Entropy, items: readonly T[]): readonly T[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(from.below(rest.length), 1));
}

const CLASSES: readonly Json[] = [
  { metadata: { name: 'any' }, spec: {} },
  { metadata: { name: 'gpu' }, spec: { selectors: [{ cel: { expression: `device.driver == "${DRIVER}"` } }], config: [opaque('class')] } },
];

function opaque(value: string): Json {
  return { opaque: { driver: DRIVER, parameters: { value } } };
}

function pool(mood: Mood, number: number): readonly Json[] {
  const { from } = mood;
  const driver = from.below(6) === 1 ? OTHER_DRIVER : DRIVER;
  // Slices of one pool that disagree about its size.
  const name = `pool-${mood.scope.quirks && from.below(8) === 1 ? 0 : number}`;
  const generation = 1 + (from.below(10) === 1 ? 1 : 0);
  const counterSlices = mood.counters ? 1 : 0;
  const parts = times(from, 1, 2);
  const resourceSliceCount = parts.length + counterSlices + (from.below(14) === 1 ? 1 : 0);
  const common = { driver, pool: { name, generation, resourceSliceCount } };
  const place = placement(mood);
  const slices: Json[] = parts.map((part) => {
    const own = from.below(5) === 1 ? placement(mood) : place;
    const devices = times(from, 0, 4).map((index) => device(mood, `dev-${part}-${index}`, own['perDeviceNodeSelection'] === true));
    return sliceOf(`${from.below(3)}-${number}-${part}`, {
      ...common,
      ...own,
      devices,
      ...(from.below(24) === 1 && { skipNodeOperations: ['NodePrepareResources'] }),
    });
  });
  if (counterSlices === 0) return slices;
  const sharedCounters = ['set-0', 'set-1'].map((set) => ({
    name: set,
    counters: { units: { value: from.pick(['4', '3', '6', '9'], '4') }, cores: { value: '5' } },
  }));
  return [
    ...slices,
    sliceOf(`${from.below(3)}-${number}-counters`, { ...common, ...(place['perDeviceNodeSelection'] === true ? { allNodes: true } : place), sharedCounters }),
  ];
}

function sliceOf(name: string, spec: Json): Json {
  return { metadata: { name: `slice-${name}` }, spec };
}

function placement({ from }: Mood): Json {
  const places: readonly Json[] = [{ allNodes: true }, { nodeName: 'node-1' }, { nodeName: 'node-2' }, selectorPlace(from), { perDeviceNodeSelection: true }];
  return from.pick(places, { allNodes: true });
}

function selectorPlace(from: Entropy): Json {
  const term = { matchExpressions: [{ key: 'zone', operator: 'In', values: [from.pick(['a', 'b'], 'a')] }] };
  return { nodeSelector: { nodeSelectorTerms: from.below(10) === 1 ? [term, term] : [term] } };
}

function device(mood: Mood, name: string, placed: boolean): Json {
  const { from } = mood;
  const place = placed ? placement(mood) : {};
  return {
    name: from.below(40) === 1 ? 'dev-0-0' : name,
    ...(from.below(60) !== 1 && { attributes: attributes(mood) }),
    ...(from.below(8) !== 1 && { capacity: capacities(mood) }),
    ...(mood.capacity && from.below(2) === 1 && { allowMultipleAllocations: true }),
    ...(mood.counters && from.below(4) !== 1 && { consumesCounters: consumption(mood) }),
    ...(from.below(8) === 1 && { taints: [from.pick(TAINTS, {})] }),
    ...(from.below(10) === 1 && { bindingConditions: ['ready'], bindingFailureConditions: ['broken'] }),
    ...(from.below(12) === 1 && { bindsToNode: true }),
    ...('perDeviceNodeSelection' in place ? { allNodes: true } : place),
  };
}

function attributes({ from, lists }: Mood): Json {
  return {
    ...(from.below(40) !== 1 && { [from.below(8) === 1 ? `${DRIVER}/model` : 'model']: { string: from.pick(MODELS, 'A') } }),
    ...(from.below(40) !== 1 && { numa: { int: from.below(3) } }),
    'example.org/root': { version: from.pick(['1.0.0', '2.0.0'], '1.0.0') },
    ...(lists && { tags: from.below(4) === 1 ? { string: 'red' } : { strings: from.pick(TAGS, ['red']) } }),
  };
}

function capacities({ from, capacity, scope }: Mood): Json {
  const policy = capacity && from.below(2) === 1 ? from.pick(POLICIES, {}) : undefined;
  const other = scope.quirks && from.below(12) === 1 ? { default: '1000m', validValues: ['1', '2'] } : policy;
  return {
    memory: { value: from.pick(SIZES, '4'), ...(other !== undefined && { requestPolicy: other }) },
    ...(from.below(4) === 1 && { lanes: { value: '3' } }),
  };
}

function consumption({ from, groups }: Mood): readonly Json[] {
  const one = (set: string): Json => ({
    counterSet: set,
    counters: { units: { value: from.pick(['1', '2', '3'], '1') }, ...(from.below(4) === 1 && { cores: { value: '2' } }) },
    ...(groups && from.below(3) !== 1 && { compatibilityGroups: from.pick(GROUPS, ['x']) }),
  });
  if (from.below(50) === 1) return [one('set-9')];
  return from.below(5) === 1 ? [one('set-0'), one('set-1')] : [one(from.pick(['set-0', 'set-1'], 'set-0'))];
}

function claims(mood: Mood): readonly Json[] {
  const { from } = mood;
  const numbers = times(from, 1, from.below(4) === 1 ? 3 : 1);
  return numbers.map((number) => {
    const requests = times(from, 1, from.below(3) === 1 ? 3 : 1).map((index) => request(mood, `req-${index}`));
    // Upstream, looking on hides a device from later users of the same pod.
    const admin = mood.admin && number === numbers.length - 1 ? [{ name: 'admin', exactly: { ...exactly(mood), adminAccess: true } }] : [];
    const named = requests.map(({ name }) => name);
    const constraints = from.below(3) === 1 ? times(from, 1, 2).map(() => constraint(mood, named)) : [];
    const config = from.below(6) === 1 ? [{ requests: from.below(2) === 1 ? [from.pick(named, 'req-0')] : [], ...opaque('claim') }] : [];
    const all = [...requests, ...admin];
    const ordered = mood.scope.quirks ? shuffled(from, all) : all;
    return { metadata: { name: `claim-${number}`, namespace: 'default' }, spec: { devices: { requests: ordered, constraints, config } } };
  });
}

function request(mood: Mood, name: string): { readonly name: string } {
  const { from } = mood;
  if (from.below(4) !== 1) return named(name, { exactly: exactly(mood) });
  const firstAvailable = times(from, 1, 3).map((index) => ({ name: `sub-${index}`, ...exactly(mood, !mood.scope.quirks) }));
  return named(name, { firstAvailable });
}

function named(name: string, rest: Json): { readonly name: string } {
  return { name, ...rest };
}

function exactly(mood: Mood, counted = false): Json {
  const { from, derived, capacity } = mood;
  const all = !counted && from.below(8) === 1;
  const count = from.below(60) === 1 ? 33 : from.pick([1, 2, 1, 3, 1, 2, 1, 4], 1);
  return {
    deviceClassName: from.pick(['any', 'gpu'], 'any'),
    ...(all ? { allocationMode: 'All' } : { allocationMode: 'ExactCount', count }),
    ...(from.below(3) === 1 && { selectors: [{ cel: { expression: from.below(40) === 1 ? from.pick(FAILING, 'true') : from.pick(SELECTORS, 'true') } }] }),
    ...(from.below(5) === 1 && { tolerations: from.pick(TOLERATIONS, []) }),
    ...(capacity && from.below(3) === 1 && { capacity: { requests: { memory: from.pick(['1', '2', '3', '5', '0'], '1') } } }),
    ...(derived && { derivedAttributes: from.pick(DERIVED, []) }),
  };
}

function constraint({ from }: Mood, named: readonly string[]): Json {
  const requests = from.below(2) === 1 ? [from.pick(named, 'req-0'), ...(from.below(4) === 1 ? ['req-1/sub-0'] : [])] : [];
  const attribute = from.pick(ATTRIBUTES, `${DRIVER}/model`);
  return { ...(requests.length > 0 && { requests }), ...(from.below(3) === 1 ? { distinctAttribute: attribute } : { matchAttribute: attribute }) };
}

/** Without the feature there are no shares: what holds one holds the device. */
function allocated({ from, groups }: Mood, slices: readonly Json[], sharing: boolean): Json {
  const devices: string[] = [];
  const shared: string[] = [];
  const capacity: Record<string, Json> = {};
  for (const { spec } of slices as readonly {
    spec: { driver: string; pool: { name: string }; devices?: readonly { name: string; allowMultipleAllocations?: boolean }[] };
  }[]) {
    for (const { name, allowMultipleAllocations } of spec.devices ?? []) {
      const id = `${spec.driver}/${spec.pool.name}/${name}`;
      if (from.below(6) !== 1) continue;
      // What is in use agrees on groups: nobody would have allocated it otherwise.
      if (groups && [...devices, ...shared].some((other) => other.startsWith(`${spec.driver}/${spec.pool.name}/`))) continue;
      const isShare = sharing && allowMultipleAllocations === true;
      if (!isShare) devices.push(id);
      else shared.push(`${id}/share`);
      if (isShare) capacity[id] = { memory: from.pick(['1', '2', '3'], '1') };
    }
  }
  return { devices: [...new Set(devices)], shared: [...new Set(shared)], capacity };
}
