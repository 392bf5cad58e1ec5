/** Which claims a pod uses, and which CDI devices each of its containers gets. Pure. */
import type { Container, Pod } from '#api';
import { keyOf } from '#machinery';
import type { CheckpointClaim, CheckpointDevice } from './checkpoint.ts';

/** A claim that a pod uses. */
export interface PodClaim {
  /** Name in pod.spec.resourceClaims; "" for the claim behind extended resources. */
  readonly podClaimName: string;
  readonly claimName: string;
  /** Made from a template: must be owned by the pod. */
  readonly generated: boolean;
}

/** The claims of a pod in order. Throws when a generated claim does not exist yet. */
export function claimsOfPod(pod: Pod): readonly PodClaim[] {
  const claims: PodClaim[] = [];
  for (const entry of pod.spec?.resourceClaims ?? []) {
    if (entry.resourceClaimName !== undefined) {
      claims.push({ podClaimName: entry.name, claimName: entry.resourceClaimName, generated: false });
      continue;
    }
    const status = pod.status?.resourceClaimStatuses?.find((other) => other.name === entry.name);
    if (status === undefined) throw new Error(`pod "${keyOf(pod)}": ResourceClaim not created yet`);
    // Without a name there the pod needs no claim.
    if (status.resourceClaimName !== undefined) claims.push({ podClaimName: entry.name, claimName: status.resourceClaimName, generated: true });
  }
  const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  // The kubelet does not ask whose claim it is: only the scheduler may write this status.
  if (extended !== undefined) claims.push({ podClaimName: '', claimName: extended, generated: false });
  return claims;
}

/** A prepared device, as a container gets it. */
export interface UsedDevice {
  readonly driver: string;
  readonly device: CheckpointDevice;
}

/** What a container uses of one claim. */
export interface ClaimUse {
  /** As pod status names it: `claim:<pod claim name>`, with `/<request>` when only that is used; "" for extended resources. */
  readonly statusName: string;
  readonly claimName: string;
  readonly devices: readonly UsedDevice[];
}

/** What a container uses of its pod's claims. `prepared` gives a claim by its name; throws when one is not prepared. */
export function claimUses(pod: Pod, container: Container, prepared: (claimName: string) => CheckpointClaim | undefined): readonly ClaimUse[] {
  const claims = claimsOfPod(pod);
  const use = (statusName: string, claimName: string, request: string): ClaimUse => {
    const claim = prepared(claimName);
    if (claim === undefined) throw new Error(`unable to get resource for namespace: ${pod.metadata.namespace ?? ''}, claim: ${claimName}`);
    return { statusName, claimName, devices: devicesOf(claim, request) };
  };
  const named = (container.resources?.claims ?? []).flatMap(({ name, request = '' }) => {
    const claim = claims.find((other) => other.podClaimName === name);
    return claim === undefined ? [] : [use(request === '' ? `claim:${name}` : `claim:${name}/${request}`, claim.claimName, request)];
  });
  const extended = pod.status?.extendedResourceClaimStatus;
  const extendedUses = (extended?.requestMappings ?? []).flatMap((mapping) => {
    const amount = container.resources?.requests?.[mapping.resourceName] ?? '0';
    const mine = mapping.containerName === container.name && amount !== '0' && extended !== undefined;
    return mine ? [use('', extended.resourceClaimName, mapping.requestName)] : [];
  });
  return [...named, ...extendedUses];
}

/** As `claimUses`, but nothing as long as something is not prepared. */
export function claimUsesOrNone(...asked: Parameters<typeof claimUses>): readonly ClaimUse[] {
  try {
    return claimUses(...asked);
  } catch {
    return [];
  }
}

/** Qualified CDI names for a container, without repetitions. Throws as `claimUses`. */
export function cdiDevicesFor(pod: Pod, container: Container, prepared: (claimName: string) => CheckpointClaim | undefined): readonly string[] {
  const devices = claimUses(pod, container, prepared).flatMap((use) => use.devices);
  return [...new Set(devices.flatMap(({ device }) => device.CDIDeviceIDs ?? []))];
}

function devicesOf(claim: CheckpointClaim, request: string): readonly UsedDevice[] {
  return Object.entries(claim.DriverState).flatMap(([driver, { Devices }]) =>
    (Devices ?? []).flatMap((device) => {
      const requests = device.RequestNames ?? [];
      return request === '' || requests.length === 0 || requests.includes(request) ? [{ driver, device }] : [];
    }),
  );
}
