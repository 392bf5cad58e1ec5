/** Which claims a pod uses, and which CDI devices each of its containers gets. Pure. */
import type { Container, Pod } from '#api';
import type { CheckpointClaim } from './checkpoint.ts';

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
    if (status === undefined) throw new Error(`pod claim ${entry.name}: the ResourceClaim has not been created yet`);
    // Without a name there the pod needs no claim.
    if (status.resourceClaimName !== undefined) claims.push({ podClaimName: entry.name, claimName: status.resourceClaimName, generated: true });
  }
  const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  if (extended !== undefined) claims.push({ podClaimName: '', claimName: extended, generated: true });
  return claims;
}

/** Qualified CDI names for a container, without repetitions. `prepared` gives a claim by its name; throws when one is not prepared. */
export function cdiDevicesFor(pod: Pod, container: Container, prepared: (claimName: string) => CheckpointClaim | undefined): readonly string[] {
  const claims = claimsOfPod(pod);
  const names = new Set<string>();
  const add = (claimName: string, request: string | undefined): void => {
    const claim = prepared(claimName);
    if (claim === undefined) throw new Error(`unable to get resource for namespace: ${pod.metadata.namespace ?? ''}, claim: ${claimName}`);
    for (const name of cdiNames(claim, request)) names.add(name);
  };
  for (const use of container.resources?.claims ?? []) {
    const claim = claims.find((other) => other.podClaimName === use.name);
    if (claim !== undefined) add(claim.claimName, use.request);
  }
  const extended = pod.status?.extendedResourceClaimStatus;
  for (const mapping of extended?.requestMappings ?? []) {
    const amount = container.resources?.requests?.[mapping.resourceName] ?? '0';
    if (mapping.containerName === container.name && amount !== '0' && extended !== undefined) add(extended.resourceClaimName, mapping.requestName);
  }
  return [...names];
}

function cdiNames(claim: CheckpointClaim, request: string | undefined): readonly string[] {
  return Object.values(claim.DriverState).flatMap(({ Devices }) =>
    (Devices ?? []).flatMap((device) => {
      const requests = device.RequestNames ?? [];
      const wanted = request === undefined || request === '' || requests.length === 0 || requests.includes(request);
      return wanted ? (device.CDIDeviceIDs ?? []) : [];
    }),
  );
}
