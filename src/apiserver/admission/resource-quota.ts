/** ResourceQuota: a namespace uses no more than its quotas allow (upstream: apiserver/pkg/admission/plugin/resourcequota). */
import {
  type DeviceClass,
  isCounted,
  isTerminatingPod,
  missingAmounts,
  type Pod,
  quotaApplies,
  quotaNames,
  type QuotaNamesWorld,
  quotaUsage,
  type ResourceClaim,
  type ResourceQuota,
  type Usage,
} from '#api';
import { conflict, type OwnerReference, parseQuantity, Quantity } from '#machinery';
import type { Scope } from '../catalog.ts';
import type { Core } from '../options.ts';
import type { StoredObject } from '../registry/object-store.ts';
import { type AdmissionPlugin, type AdmissionRequest, refused } from './plugin.ts';

/** Rounds in which another writer, such as the quotas' controller, may have changed a quota meanwhile (upstream: 3 retries). */
const ATTEMPTS = 4;
const EXTENDED_CLAIM_ANNOTATION = 'resource.kubernetes.io/extended-resource-claim';

/** The plugin, as the last one before the write; it looks at creations, and at pods that are to end by themselves, or no more. */
export const RESOURCE_QUOTA_PLUGIN: AdmissionPlugin = {
  name: 'ResourceQuota',
  validate: async (core, request) => {
    const { scope, object } = request;
    if (!isCharged(request) || object === undefined) return;
    const quotaScope = core.catalog.find('', 'v1', 'resourcequotas');
    if (quotaScope === undefined) return;
    if ((await core.objects.list(quotaScope, request.namespace)).length === 0) return;
    const world = await worldOf(core, request);
    const usage = quotaUsage(scope.kind, object, world);
    await inTurn(core, request.namespace, () => charge(core, { request, quotaScope, usage, world }));
  },
};

function isCharged({ operation, subresource, scope: { kind }, object, old }: AdmissionRequest): boolean {
  if (subresource !== '' || !kind.namespaced || !isCounted(kind)) return false;
  if (operation !== 'update') return operation === 'create';
  // Narrowed by resource.
  return kind.group === '' && kind.plural === 'pods' && isTerminatingPod(object as Pod) !== isTerminatingPod(old as Pod);
}

/** The last one who is charging quotas, by namespace. */
const turns = new WeakMap<Core, Map<string, Promise<void>>>();

/** Does `work` after all that is being done in the namespace: many who create at once would only take each other's revision away. */
async function inTurn(core: Core, namespace: string, work: () => Promise<void>): Promise<void> {
  const lasts = turns.get(core) ?? new Map<string, Promise<void>>();
  turns.set(core, lasts);
  const outcome = (lasts.get(namespace) ?? Promise.resolve()).then(work);
  const settled = outcome.catch(() => undefined);
  lasts.set(namespace, settled);
  await settled;
  if (lasts.get(namespace) === settled) lasts.delete(namespace);
  return outcome;
}

interface Charging {
  readonly request: AdmissionRequest;
  readonly quotaScope: Scope;
  readonly usage: Usage;
  readonly world: QuotaNamesWorld;
}

/** Writes the new usage into all quotas or into none of them. */
async function charge(core: Core, charging: Charging): Promise<void> {
  const { request, quotaScope } = charging;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const used = usedAfter(charging, await core.objects.list(quotaScope, request.namespace));
    if (used.length === 0 || request.dryRun) return;
    const writes = used.map(({ stored, quota }) => ({ object: quota, expected: stored.revision }));
    if (await core.objects.putAll(quotaScope, writes)) return;
  }
  throw conflict(request.scope.groupResource, request.name, 'the quotas of the namespace are being changed too often');
}

interface Charged {
  readonly stored: StoredObject;
  readonly quota: ResourceQuota;
}

/** The quotas that the object is charged to, with their new usage; refuses what exceeds one of them. */
function usedAfter(charging: Charging, quotas: readonly StoredObject[]): readonly Charged[] {
  const { request, usage } = charging;
  return quotas
    .filter((stored) => isPertinent(charging, stored.object as ResourceQuota))
    .flatMap((stored): Charged[] => {
      const quota = stored.object as ResourceQuota;
      const { hard = {}, used = {} } = quota.status ?? {};
      const names = Object.keys(hard)
        .filter((name) => amount(usage.get(name)).sign() > 0)
        .sort();
      if (names.length === 0 || wasCharged(request, quota)) return [];
      const after = new Map(names.map((name) => [name, amount(used[name]).add(amount(usage.get(name)))]));
      const exceeded = names.filter((name) => amount(after.get(name)).compare(amount(hard[name])) > 0);
      if (exceeded.length > 0) {
        const shown = (of: (name: string) => string): string => exceeded.map((name) => `${name}=${of(name)}`).join(',');
        const parts = [`requested: ${shown((name) => amount(usage.get(name)).toString())}`, `used: ${shown((name) => used[name] ?? '0')}`];
        throw refused(request, `exceeded quota: ${quota.metadata.name ?? ''}, ${parts.join(', ')}, limited: ${shown((name) => hard[name] ?? '0')}`);
      }
      const next = { ...used, ...Object.fromEntries([...after].map(([name, value]) => [name, value.toString()])) };
      return [{ stored, quota: { ...quota, status: { ...quota.status, used: next } } }];
    });
}

/** Whether a quota limits the object; refuses it while the quota does not know what is used, and pods that do not say how much they use. */
function isPertinent({ request, world }: Charging, quota: ResourceQuota): boolean {
  const { object, scope } = request;
  const { hard = {}, used = {} } = quota.status ?? {};
  if (object === undefined || !quotaApplies(quota, scope.kind, object)) return false;
  const names = quotaNames(scope.kind, Object.keys(hard), world);
  if (names.length === 0) return false;
  checkNamed(request, quota, names);
  if (names.every((name) => used[name] !== undefined)) return true;
  throw refused(request, `status unknown for quota: ${quota.metadata.name ?? ''}, resources: ${names.toSorted().join(',')}`);
}

/** Whether the object was charged to the quota before this update. */
function wasCharged({ scope, old }: AdmissionRequest, quota: ResourceQuota): boolean {
  return old !== undefined && quotaApplies(quota, scope.kind, old);
}

function amount(value: Quantity | string | undefined): Quantity {
  const quantity = typeof value === 'string' ? parseQuantity(value) : value;
  return quantity ?? ZERO;
}

const ZERO = Quantity.of(0);

/** A pod must say how much it uses of what is limited. */
function checkNamed(request: AdmissionRequest, quota: ResourceQuota, names: readonly string[]): void {
  const { scope, object } = request;
  if (scope.kind.group !== '' || scope.kind.plural !== 'pods') return;
  const missing = [...missingAmounts(object as Pod, names)].map(([name, containers]) => `${name} for: ${containers.join(',')}`);
  if (missing.length > 0) throw refused(request, `failed quota: ${quota.metadata.name ?? ''}: must specify ${missing.join('; ')}`);
}

async function worldOf(core: Core, { scope, object, namespace }: AdmissionRequest): Promise<QuotaNamesWorld> {
  const classScope = core.catalog.findAnyVersion('resource.k8s.io', 'deviceclasses');
  const isClaim = scope.kind.kind === 'ResourceClaim' && core.options.gates.get('DRAExtendedResource') === true;
  if (!isClaim || classScope === undefined) return WITHOUT_EXTENDED;
  // Stored classes have the form of v1.
  const classes = (await core.objects.list(classScope)).map(({ object: stored }) => stored as DeviceClass);
  const extended = new Map(classes.map(({ metadata, spec }) => [metadata.name ?? '', spec.extendedResourceName ?? '']));
  const names = new Set(extended.values());
  const pod = await podServed(core, scope, namespace, object as ResourceClaim);
  return {
    countsExtended: true,
    extendedResourceOf: (name) => extended.get(name),
    isExtendedResource: (name) => name !== '' && names.has(name),
    podOf: () => pod,
  };
}

const WITHOUT_EXTENDED: QuotaNamesWorld = {
  countsExtended: false,
  extendedResourceOf: () => undefined,
  isExtendedResource: () => false,
  podOf: () => undefined,
};

/** The pod for whose extended resources a claim was made: one claim only for each pod (upstream: getVerifiedPodUsage). */
async function podServed(core: Core, scope: Scope, namespace: string, claim: ResourceClaim): Promise<Pod | undefined> {
  const podScope = core.catalog.find('', 'v1', 'pods');
  const owner = extendedOwner(claim);
  if (podScope === undefined || owner === undefined) return undefined;
  const pod = (await core.objects.get(podScope, namespace, owner.name))?.object as Pod | undefined;
  if (pod === undefined || pod.metadata.uid !== owner.uid) return undefined;
  const { name = '', creationTimestamp = '' } = claim.metadata;
  const known = pod.status?.extendedResourceClaimStatus;
  if (known !== undefined) return known.resourceClaimName === name ? pod : undefined;
  const others = (await core.objects.list(scope, namespace)).filter(({ object }) => extendedOwner(object as ResourceClaim)?.uid === owner.uid);
  const isFirst = others.every(({ object: { metadata } }) => {
    const time = metadata.creationTimestamp ?? '';
    return time > creationTimestamp || (time === creationTimestamp && (metadata.name ?? '') >= name);
  });
  return isFirst ? pod : undefined;
}

function extendedOwner({ metadata }: ResourceClaim): OwnerReference | undefined {
  if (metadata.annotations?.[EXTENDED_CLAIM_ANNOTATION] !== 'true') return undefined;
  return metadata.ownerReferences?.find(({ controller, kind, apiVersion }) => controller === true && kind === 'Pod' && apiVersion === 'v1');
}
