/** What the status of a quota should be, from the objects that it counts (upstream: pkg/controller/resourcequota syncResourceQuota). */
import { isCounted, quotaApplies, type QuotaWorld, quotaUsage, type ResourceQuota } from '#api';
import { type ApiObject, Quantity } from '#machinery';

/** Objects of one resource in the quota's namespace. */
export interface CountedObjects {
  readonly group: string;
  readonly plural: string;
  readonly objects: readonly ApiObject[];
}

/** hard as the spec has it; used for each name in it, zero where nothing counts. */
export function quotaStatus(quota: ResourceQuota, counted: readonly CountedObjects[], world: QuotaWorld): NonNullable<ResourceQuota['status']> {
  const hard = quota.spec?.hard ?? {};
  const used = new Map(Object.keys(hard).map((name) => [name, Quantity.of(0)]));
  for (const resource of counted) {
    for (const object of resource.objects) {
      if (!quotaApplies(quota, resource, object)) continue;
      for (const [name, amount] of quotaUsage(resource, object, world)) {
        const before = used.get(name);
        if (before !== undefined) used.set(name, before.add(amount));
      }
    }
  }
  return { hard, used: Object.fromEntries([...used].map(([name, amount]) => [name, amount.toString()])) };
}

const BY_NAME = new Set(['configmaps', 'secrets', 'services', 'resourcequotas', 'replicationcontrollers', 'persistentvolumeclaims']);

/** Whether a quota with these names must look at objects of the resource. */
export function countsResource(names: readonly string[], group: string, plural: string): boolean {
  if (!isCounted({ group, plural })) return false;
  const count = group === '' ? `count/${plural}` : `count/${plural}.${group}`;
  if (names.includes(count) || (group === '' && BY_NAME.has(plural) && names.includes(plural))) return true;
  if (group === '' && plural === 'pods') return names.some((name) => !name.startsWith('count/') && !name.endsWith('/devices') && !BY_NAME.has(name));
  return group === 'resource.k8s.io' && plural === 'resourceclaims' && names.some((name) => name.endsWith('/devices') || name.startsWith('requests.'));
}
