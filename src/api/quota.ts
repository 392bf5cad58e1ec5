/** How much of a ResourceQuota an object uses (upstream: pkg/quota/v1/evaluator/core). */
import { type ApiObject, parseQuantity, Quantity } from '#machinery';
import type { Container, Pod, PodSpec, ResourceQuota } from './types/core-v1.ts';
import type { DeviceSubRequest, ExactDeviceRequest, ResourceClaim } from './types/resource-v1.ts';
import { qosClassOf } from './strategy/qos.ts';

/** Amounts by their names in a quota. */
export type Usage = ReadonlyMap<string, Quantity>;

/** What the usage of a claim depends on besides the claim. */
export interface QuotaWorld {
  /** Whether claims count as extended resources too (gate DRAExtendedResource). */
  readonly countsExtended: boolean;
  /** The extended resource that a device class stands for, "" for none, undefined where there is no such class. */
  readonly extendedResourceOf: (className: string) => string | undefined;
  /** The pod for whose extended resources the claim was made, if it was. */
  readonly podOf: (claim: ResourceClaim) => Pod | undefined;
}

/** Devices that a request for all of them may get (resource.AllocationResultsMaxSize). */
const ALL_DEVICES = 32;
const PER_CLASS_SUFFIX = '.deviceclass.resource.k8s.io/devices';
const IMPLICIT_PREFIX = 'requests.deviceclass.resource.kubernetes.io/';
/** Core kinds that quotas also count under their own name. */
const COUNTED_BY_NAME = new Set(['configmaps', 'secrets', 'services', 'resourcequotas', 'replicationcontrollers', 'persistentvolumeclaims']);

/** What also tells which names of quotas are about claims. */
export interface QuotaNamesWorld extends QuotaWorld {
  /** Whether some class stands for this extended resource. */
  readonly isExtendedResource: (name: string) => boolean;
}

/** Kinds that no quota counts (upstream: ignoredResources; reviews never come here). */
export function isCounted({ group, plural }: Resource): boolean {
  return !(plural === 'events' && (group === '' || group === 'events.k8s.io'));
}

interface Resource {
  readonly group: string;
  readonly plural: string;
}

/** Those of `names` that a quota may limit for such objects: all of them must have their usage known (upstream: MatchingResources). */
export function quotaNames({ group, plural }: Resource, names: readonly string[], world: QuotaNamesWorld): readonly string[] {
  const counted = countName(group, plural);
  if (group === '' && plural === 'pods') return names.filter((name) => name === counted || isPodResource(name));
  if (group === 'resource.k8s.io' && plural === 'resourceclaims')
    return names.filter((name) => name === counted || name.endsWith(PER_CLASS_SUFFIX) || (world.countsExtended && isOfClass(name, world)));
  return names.filter((name) => name === counted || (group === '' && COUNTED_BY_NAME.has(plural) && name === plural));
}

const POD_RESOURCE = /^(pods|((requests|limits)\.)?(cpu|memory|ephemeral-storage)|(requests\.)?hugepages-.*)$/;

function isPodResource(name: string): boolean {
  return POD_RESOURCE.test(name) || (name.startsWith(REQUESTS) && isExtended(name.slice(REQUESTS.length)));
}

const REQUESTS = 'requests.';

function isOfClass(name: string, { extendedResourceOf, isExtendedResource }: QuotaNamesWorld): boolean {
  if (name.startsWith(IMPLICIT_PREFIX)) return extendedResourceOf(name.slice(IMPLICIT_PREFIX.length)) !== undefined;
  return name.startsWith(REQUESTS) && isExtendedResource(name.slice(REQUESTS.length));
}

/** What an object of this resource uses. */
export function quotaUsage({ group, plural }: Resource, object: ApiObject, world: QuotaWorld): Usage {
  const usage = new Map<string, Quantity>([[countName(group, plural), ONE]]);
  if (group === '' && plural === 'pods') addPod(usage, object as Pod);
  else if (group === 'resource.k8s.io' && plural === 'resourceclaims') addClaim(usage, object as ResourceClaim, world);
  else if (group === '' && COUNTED_BY_NAME.has(plural)) usage.set(plural, ONE);
  return usage;
}

/** The name under which a quota counts objects. */
function countName(group: string, plural: string): string {
  return group === '' ? `count/${plural}` : `count/${plural}.${group}`;
}

const ZERO = Quantity.of(0);
const ONE = Quantity.of(1);

function add(usage: Map<string, Quantity>, name: string, amount: Quantity): void {
  usage.set(name, usage.get(name)?.add(amount) ?? amount);
}

/** Devices by class, the most that alternatives could take; and the extended resources that the classes stand for. */
function addClaim(usage: Map<string, Quantity>, claim: ResourceClaim, world: QuotaWorld): void {
  const devices = new Map<string, Quantity>();
  for (const request of claim.spec.devices?.requests ?? []) {
    const alternatives = request.exactly === undefined ? (request.firstAvailable ?? []) : [request.exactly];
    const largest = new Map<string, bigint>();
    for (const alternative of alternatives) {
      const [name, count] = [alternative.deviceClassName, countOf(alternative)];
      if (count > (largest.get(name) ?? -1n)) largest.set(name, count);
    }
    for (const [name, count] of largest) add(devices, name, Quantity.of(count));
  }
  for (const [className, amount] of devices) usage.set(`${className}${PER_CLASS_SUFFIX}`, amount);
  if (!world.countsExtended) return;
  const pod = world.podOf(claim);
  const counted: Usage = pod === undefined ? new Map() : podUsage(pod);
  for (const [className, amount] of devices) {
    const extended = world.extendedResourceOf(className) ?? '';
    for (const name of [`${IMPLICIT_PREFIX}${className}`, ...(extended === '' ? [] : [`${REQUESTS}${extended}`])]) {
      // What the pod asked for is counted with the pod.
      const rest = amount.sub(counted.get(name) ?? ZERO);
      if (rest.sign() > 0) usage.set(name, rest);
    }
  }
}

function countOf({ allocationMode, count }: ExactDeviceRequest | DeviceSubRequest): bigint {
  if (allocationMode === 'All') return BigInt(ALL_DEVICES);
  return allocationMode === 'ExactCount' ? BigInt(count ?? 1) : 0n;
}

function addPod(usage: Map<string, Quantity>, pod: Pod): void {
  const { phase } = pod.status ?? {};
  // A pod that has ended counts as an object only.
  if (phase === 'Succeeded' || phase === 'Failed') return;
  for (const [name, amount] of podUsage(pod)) add(usage, name, amount);
}

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];

function podUsage({ spec }: Pod): Usage {
  const usage = new Map<string, Quantity>([['pods', ONE]]);
  if (spec === undefined) return usage;
  for (const [name, amount] of podAmounts(spec, 'requests')) {
    const native = COMPUTE.includes(name) || name.startsWith('hugepages-');
    if (native) usage.set(name, amount);
    if (native || isExtended(name)) usage.set(`requests.${name}`, amount);
  }
  for (const [name, amount] of podAmounts(spec, 'limits')) if (COMPUTE.includes(name)) usage.set(`limits.${name}`, amount);
  return usage;
}

function isExtended(name: string): boolean {
  return name.includes('/') && (!name.includes('kubernetes.io/') || name.startsWith('deviceclass.resource.kubernetes.io/'));
}

/** What the containers of a pod use together: the running ones summed up, or what one init container needs if that is more. */
export function podAmounts(spec: PodSpec, member: 'requests' | 'limits'): Usage {
  const running = new Map<string, Quantity>();
  const start = new Map<string, Quantity>();
  const resources = ({ resources: own }: Container): readonly (readonly [string, Quantity])[] =>
    Object.entries(own?.[member] ?? {}).map(([name, text]) => [name, parseQuantity(text) ?? ZERO]);
  for (const container of spec.initContainers ?? []) {
    for (const [name, amount] of resources(container)) {
      const needed = amount.add(running.get(name) ?? ZERO);
      if (container.restartPolicy === 'Always') add(running, name, amount);
      if (needed.compare(start.get(name) ?? ZERO) > 0) start.set(name, needed);
    }
  }
  for (const container of spec.containers) for (const [name, amount] of resources(container)) add(running, name, amount);
  for (const [name, amount] of start) if (amount.compare(running.get(name) ?? ZERO) > 0) running.set(name, amount);
  for (const [name, text] of Object.entries(spec.overhead ?? {})) add(running, name, parseQuantity(text) ?? ZERO);
  // Amounts for the pod as a whole stand above those of its containers.
  for (const [name, text] of Object.entries(spec.resources?.[member] ?? {})) running.set(name, parseQuantity(text) ?? ZERO);
  return running;
}

/** Whether all scopes of a quota match this object; objects other than pods match quotas without scopes. */
export function quotaApplies({ spec = {} }: ResourceQuota, { group, plural }: Resource, object: ApiObject): boolean {
  const scopes = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName: String(scopeName), operator: 'Exists', values: undefined })),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ];
  if (scopes.length === 0) return true;
  return group === '' && plural === 'pods' && scopes.every(({ scopeName, operator, values }) => isInScope(object as Pod, scopeName, operator, values));
}

/** Whether a pod ends by itself (upstream: IsTerminating). */
export function isTerminatingPod({ spec }: Pod): boolean {
  return (spec?.activeDeadlineSeconds ?? -1) >= 0;
}

/** Whether a pod looks at pods of other namespaces (upstream: usesCrossNamespacePodAffinity). */
function looksAcrossNamespaces({ spec }: Pod): boolean {
  const kinds = [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity];
  const terms = kinds.flatMap((kind) => [
    ...(kind?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(kind?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
  return terms.some(({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined);
}

function isInScope(pod: Pod, scopeName: string, operator: string, values: readonly string[] = []): boolean {
  const { spec } = pod;
  const terminating = isTerminatingPod(pod);
  const { priorityClassName = '' } = spec ?? {};
  switch (scopeName) {
    case 'Terminating':
      return terminating;
    case 'NotTerminating':
      return !terminating;
    case 'BestEffort':
      return spec !== undefined && qosClassOf(spec) === 'BestEffort';
    case 'NotBestEffort':
      return spec !== undefined && qosClassOf(spec) !== 'BestEffort';
    case 'CrossNamespacePodAffinity':
      return looksAcrossNamespaces(pod);
    case 'PriorityClass':
      if (operator === 'Exists' || operator === 'DoesNotExist') return (priorityClassName !== '') === (operator === 'Exists');
      return values.includes(priorityClassName) === (operator === 'In');
    default:
      return false;
  }
}

/** Amounts that every container of a pod must name once a quota limits them: those that `names` hold and a container lacks. */
export function missingAmounts({ spec }: Pod, names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const required = names.filter((name) => /^((requests|limits)\.)?(cpu|memory)$/.test(name)).sort();
  const missing = new Map<string, readonly string[]>();
  if (spec === undefined || Object.keys({ ...spec.resources?.requests, ...spec.resources?.limits }).length > 0) return missing;
  for (const name of required) {
    const [member, resource] = name.startsWith('limits.')
      ? (['limits', name.slice('limits.'.length)] as const)
      : (['requests', name.replace('requests.', '')] as const);
    const lacking = [...spec.containers, ...(spec.initContainers ?? [])].filter(({ resources }) => resources?.[member]?.[resource] === undefined);
    if (lacking.length > 0) missing.set(name, lacking.map((container) => container.name).sort());
  }
  return missing;
}
