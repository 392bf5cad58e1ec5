/** Who may write which part of a claim's status (upstream: registry/resource AuthorizedForBinding and AuthorizedForDeviceStatus; gate DRAResourceClaimGranularStatusAuthorization). */
import type { AllocatedDeviceStatus, FieldError, ResourceClaim } from '#api';
import { type ApiObject, forbidden } from '#machinery';
import type { Core } from '../options.ts';
import type { Call } from '../registry/call.ts';
import { equalParts } from '../registry/managed.ts';
import { type AuthorizationAttributes, refusalText } from './attributes.ts';

const GROUP = 'resource.k8s.io';
const NODE_NAME_EXTRA = 'authentication.kubernetes.io/node-name';
const SERVICE_ACCOUNT_PREFIX = 'system:serviceaccount:';

/** Problems of an update of a claim's status by somebody who may not change these parts of it. */
export async function claimStatusErrors(core: Core, call: Call, object: ApiObject, live: ApiObject): Promise<readonly FieldError[]> {
  const { scope, target } = call;
  const applies = scope.kind.kind === 'ResourceClaim' && scope.kind.group === GROUP && target.subresource === 'status';
  if (!applies || core.options.gates.get('DRAResourceClaimGranularStatusAuthorization') !== true) return [];
  // Narrowed by kind; stored claims have the form of v1.
  const [claim, old] = [object as ResourceClaim, live as ResourceClaim];
  return [...(await bindingErrors(core, call, claim, old)), ...(await deviceErrors(core, call, claim, old))];
}

async function bindingErrors(core: Core, call: Call, { status }: ResourceClaim, { status: before }: ResourceClaim): Promise<readonly FieldError[]> {
  if (equalParts(status?.allocation, before?.allocation) && equalParts(status?.reservedFor ?? [], before?.reservedFor ?? [])) return [];
  const { verb } = call.target;
  // For the whole cluster, as upstream: a role in the claim's namespace is not enough.
  const attributes: AuthorizationAttributes = { user: call.user, verb, group: GROUP, resource: 'resourceclaims', subresource: 'binding' };
  const decision = await core.authorizer.authorize(attributes);
  if (decision.allowed) return [];
  const why = `changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="${verb}" permission: `;
  return [forbiddenField('status.allocation', why + denied(attributes, decision.reason))];
}

async function deviceErrors(core: Core, call: Call, claim: ResourceClaim, old: ResourceClaim): Promise<readonly FieldError[]> {
  // What reports on devices goes with the allocation.
  if (claim.status?.allocation === undefined || core.options.gates.get('DRAResourceClaimDeviceStatus') !== true) return [];
  const { verb, namespace } = call.target;
  const verbs = [...(isOnNode(call, claim) ? [`associated-node:${verb}`] : []), `arbitrary-node:${verb}`];
  const errors: FieldError[] = [];
  for (const driver of changedDrivers(claim, old)) {
    const shared = { user: call.user, group: GROUP, resource: 'resourceclaims', subresource: 'driver', namespace, name: driver };
    const decisions = await Promise.all(verbs.map(async (each) => core.authorizer.authorize({ ...shared, verb: each })));
    if (decisions.some(({ allowed }) => allowed)) continue;
    const why = `changing status.devices requires resource="resourceclaims/driver", verb="[${verbs.join(' ')}]" permission: `;
    errors.push(forbiddenField('status.devices', why + denied({ ...shared, verb: verbs[0] ?? verb }, decisions[0]?.reason)));
  }
  return errors;
}

/** Drivers of entries that were added, changed or removed, in order. */
function changedDrivers({ status }: ResourceClaim, { status: before }: ResourceClaim): readonly string[] {
  const [now, past] = [byDevice(status?.devices), byDevice(before?.devices)];
  const changed = [...now.entries()].filter(([key, device]) => !equalParts(device, past.get(key)));
  const removed = [...past.entries()].filter(([key]) => !now.has(key));
  return [...new Set([...changed, ...removed].map(([, { driver }]) => driver))].sort();
}

function deviceKey({ driver, pool, device, shareID = '' }: AllocatedDeviceStatus): string {
  return `${driver}/${pool}/${device}/${shareID}`;
}

function byDevice(devices: readonly AllocatedDeviceStatus[] = []): ReadonlyMap<string, AllocatedDeviceStatus> {
  return new Map(devices.map((device) => [deviceKey(device), device]));
}

/** Whether the writer is a service account on the one node for which the claim is allocated. */
function isOnNode({ user }: Call, { status }: ResourceClaim): boolean {
  const nodes = user.extra?.[NODE_NAME_EXTRA] ?? [];
  const [term, ...otherTerms] = status?.allocation?.nodeSelector?.nodeSelectorTerms ?? [];
  const [field, ...otherFields] = term?.matchFields ?? [];
  if (!user.name.startsWith(SERVICE_ACCOUNT_PREFIX) || nodes.length !== 1 || field === undefined) return false;
  const single = otherTerms.length === 0 && otherFields.length === 0 && (term?.matchExpressions ?? []).length === 0;
  return single && field.key === 'metadata.name' && field.operator === 'In' && field.values?.length === 1 && field.values[0] === nodes[0];
}

function denied(attributes: AuthorizationAttributes, reason: string | undefined): string {
  return forbidden({ group: GROUP, resource: 'resourceclaims' }, attributes.name ?? '', refusalText(attributes, reason)).message;
}

function forbiddenField(path: string, why: string): FieldError {
  return { path, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` };
}
