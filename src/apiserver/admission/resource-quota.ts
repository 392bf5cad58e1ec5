/** ResourceQuota: a namespace uses no more than its quotas allow (upstream: apiserver/pkg/admission/plugin/resourcequota). */
import {
  type DeviceClass,
  missingAmounts,
  type Pod,
  quotaApplies,
  type QuotaWorld,
  quotaUsage,
  type ResourceClaim,
  type ResourceQuota,
  type Usage,
} from '#api';
import { conflict, parseQuantity, Quantity } from '#machinery';
import type { Scope } from '../catalog.ts';
import type { Core } from '../options.ts';
import type { StoredObject } from '../registry/object-store.ts';
import { type AdmissionPlugin, type AdmissionRequest, refused } from './plugin.ts';

/** Rounds in which another writer, such as the quotas' controller, may have changed a quota meanwhile (upstream: 3 retries). */
const ATTEMPTS = 4;
const EXTENDED_CLAIM_ANNOTATION = 'resource.kubernetes.io/extended-resource-claim';

/** The plugin; it looks at creations, as the last one before the write. */
export const RESOURCE_QUOTA_PLUGIN: AdmissionPlugin = {
  name: 'ResourceQuota',
  validate: async (core, request) => {
    const { operation, subresource, scope, object } = request;
    if (operation !== 'create' || subresource !== '' || !scope.kind.namespaced || object === undefined) return;
    const quotaScope = core.catalog.find('', 'v1', 'resourcequotas');
    if (quotaScope === undefined) return;
    if ((await core.objects.list(quotaScope, request.namespace)).length === 0) return;
    const usage = quotaUsage(scope.kind, object, await worldOf(core, request));
    await inTurn(core, request.namespace, () => charge(core, { request, quotaScope, usage }));
  },
};

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
}

/** Writes the new usage into all quotas or into none of them. */
async function charge(core: Core, { request, quotaScope, usage }: Charging): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const used = usedAfter(request, await core.objects.list(quotaScope, request.namespace), usage);
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
function usedAfter(request: AdmissionRequest, quotas: readonly StoredObject[], usage: Usage): readonly Charged[] {
  return quotas.flatMap((stored): Charged[] => {
    const quota = stored.object as ResourceQuota;
    const { object, scope } = request;
    const { hard = {}, used = {} } = quota.status ?? {};
    if (object === undefined || !quotaApplies(quota, scope.kind, object)) return [];
    checkNamed(request, quota, Object.keys(hard));
    const names = Object.keys(hard)
      .filter((name) => usage.has(name))
      .sort();
    if (names.length === 0) return [];
    const unknown = names.filter((name) => used[name] === undefined);
    const called = quota.metadata.name ?? '';
    if (unknown.length > 0) throw refused(request, `status unknown for quota: ${called}, resources: ${unknown.join(',')}`);
    const after = new Map(names.map((name) => [name, amount(used[name]).add(amount(usage.get(name)))]));
    const exceeded = names.filter((name) => amount(after.get(name)).compare(amount(hard[name])) > 0);
    if (exceeded.length > 0) {
      const shown = (of: (name: string) => string): string => exceeded.map((name) => `${name}=${of(name)}`).join(',');
      const parts = [`requested: ${shown((name) => amount(usage.get(name)).toString())}`, `used: ${shown((name) => used[name] ?? '0')}`];
      throw refused(request, `exceeded quota: ${called}, ${parts.join(', ')}, limited: ${shown((name) => hard[name] ?? '0')}`);
    }
    const next = { ...used, ...Object.fromEntries([...after].map(([name, value]) => [name, value.toString()])) };
    return [{ stored, quota: { ...quota, status: { ...quota.status, used: next } } }];
  });
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

async function worldOf(core: Core, { scope, object, namespace }: AdmissionRequest): Promise<QuotaWorld> {
  const classScope = core.catalog.findAnyVersion('resource.k8s.io', 'deviceclasses');
  const podScope = core.catalog.find('', 'v1', 'pods');
  const isClaim = scope.kind.kind === 'ResourceClaim' && core.options.gates.get('DRAExtendedResource') === true;
  if (!isClaim || classScope === undefined || podScope === undefined) return { extendedResourceOf: () => undefined, podOf: () => undefined };
  // Stored classes have the form of v1.
  const classes = new Map((await core.objects.list(classScope)).map(({ object: stored }) => [stored.metadata.name ?? '', stored as DeviceClass]));
  const claim = object as ResourceClaim;
  const owner = claim.metadata.ownerReferences?.find(({ controller, kind, apiVersion }) => controller === true && kind === 'Pod' && apiVersion === 'v1');
  const generated = claim.metadata.annotations?.[EXTENDED_CLAIM_ANNOTATION] === 'true';
  const pod = generated && owner !== undefined ? ((await core.objects.get(podScope, namespace, owner.name))?.object as Pod | undefined) : undefined;
  return { extendedResourceOf: (name) => classes.get(name)?.spec.extendedResourceName, podOf: () => (pod?.metadata.uid === owner?.uid ? pod : undefined) };
}
