/** Validation of what the control plane and node agents write into a pod's status about claims. */
import { parseQuantity } from '#machinery';
import type { Container, ContainerStatus, Pod, ResourceStatus } from '../types/core-v1.ts';
import { dnsLabelProblems, dnsSubdomainProblems } from './names.ts';
import { checkAddresses, checkPodReport, checkUsers } from './pod-report.ts';
import { sameValue } from '../object.ts';
import { byteLength, type FieldErrors } from './report.ts';

/** A written status of a pod, in upstream's order. */
export function checkPodStatus(errors: FieldErrors, pod: Pod, old: Pod): void {
  checkPodReport(errors, pod, old);
  checkClaimStatuses(errors, pod);
  checkExtendedClaim(errors, pod);
  checkNodeAllocatable(errors, pod);
  checkAddresses(errors, pod.status ?? {});
  checkUsers(errors, pod);
  for (const member of ['initContainerStatuses', 'containerStatuses'] as const) {
    pod.status?.[member]?.forEach((status, index) => checkHealth(errors, `status.${member}[${index}]`, status, pod));
  }
}

function checkClaimStatuses(errors: FieldErrors, pod: Pod): void {
  const known = new Set(pod.spec?.resourceClaims?.map((claim) => claim.name));
  const seen = new Set<string>();
  (pod.status?.resourceClaimStatuses ?? []).forEach(({ name, resourceClaimName }, index) => {
    const at = `status.resourceClaimStatuses[${index}]`;
    if (!known.has(name)) errors.invalid(`${at}.name`, name, 'must match the name of an entry in `spec.resourceClaims`');
    if (seen.has(name)) errors.duplicate(`${at}.name`, name);
    seen.add(name);
    if (resourceClaimName !== undefined) errors.invalidAll(`${at}.resourceClaimName`, resourceClaimName, dnsSubdomainProblems(resourceClaimName));
  });
}

function checkExtendedClaim(errors: FieldErrors, pod: Pod): void {
  const status = pod.status?.extendedResourceClaimStatus;
  if (status === undefined) return;
  const path = 'status.extendedResourceClaimStatus';
  const mappings = status.requestMappings ?? [];
  if (mappings.length === 0) errors.required(`${path}.requestMappings`, 'at least one request mapping is required');
  mappings.forEach((mapping, index) => {
    const at = `${path}.requestMappings[${index}]`;
    const repeated = mappings.slice(0, index).some((other) => sameValue(other, mapping));
    const container = containerOf(pod, mapping.containerName);
    if (container === undefined)
      errors.invalid(`${at}.containerName`, mapping.containerName, 'must match the name of an entry in spec.initContainers.name or spec.containers.name');
    else if (!requestsResource(container, mapping.resourceName))
      errors.invalid(
        `${at}.resourceName`,
        mapping.resourceName,
        'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests',
      );
    // Upstream reports this one without the index.
    errors.invalidAll(`${path}.requestName`, mapping.requestName, dnsLabelProblems(mapping.requestName));
    if (repeated) for (const member of ['containerName', 'resourceName', 'requestName'] as const) errors.duplicate(`${at}.${member}`, mapping[member]);
  });
  if (status.resourceClaimName === '') errors.required(`${path}.resourceClaimName`);
  else errors.invalidAll(`${path}.resourceClaimName`, status.resourceClaimName, dnsSubdomainProblems(status.resourceClaimName));
}

/** Resources without a domain, or with Kubernetes' own (component-helpers IsNativeResource). */
function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

function checkNodeAllocatable(errors: FieldErrors, { spec, status }: Pod): void {
  const claims = new Set([...(spec?.resourceClaims ?? []), ...(status?.resourceClaimStatuses ?? [])].map(({ resourceClaimName }) => resourceClaimName));
  (status?.nodeAllocatableResourceClaimStatuses ?? []).forEach(({ resourceClaimName, containers = [], resources }, index) => {
    const at = `status.nodeAllocatableResourceClaimStatuses[${String(index)}]`;
    if (resourceClaimName === '') errors.required(`${at}.resourceClaimName`, 'must not be empty');
    if (!claims.has(resourceClaimName)) errors.invalid(`${at}.resourceClaimName`, resourceClaimName, 'no mapping found in pod reference');
    if (containers.length === 0) errors.required(`${at}.containers`, 'must not be empty');
    // Required by the schema, but null when it was not given.
    const amounts = Object.entries(resources ?? {});
    if (amounts.length === 0) errors.required(`${at}.resources`, 'must not be empty');
    for (const [name, amount] of amounts) {
      if (!isNativeResource(name)) errors.invalid(`${at}.resources[${name}]`, name, 'must be a node allocatable resource name');
      if ((parseQuantity(amount)?.sign() ?? 0) < 0) errors.invalid(`${at}.resources[${name}]`, amount, 'must be non-negative');
    }
  });
}

function containerOf(pod: Pod, name: string): Container | undefined {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].find((container) => container.name === name);
}

function requestsResource(container: Container, resource: string): boolean {
  return Object.hasOwn(container.resources?.requests ?? {}, resource);
}

const HEALTHS = ['Healthy', 'Unhealthy', 'Unknown'];
/** Upstream's limit of a health message. */
const HEALTH_MESSAGE_MAX_LENGTH = 1024;
const CLAIM_PREFIX = 'claim:';

function checkHealth(errors: FieldErrors, path: string, status: ContainerStatus, pod: Pod): void {
  const container = containerOf(pod, status.name);
  status.allocatedResourcesStatus?.forEach((resource, index) => {
    const at = `${path}.allocatedResourcesStatus[${index}]`;
    if (container !== undefined) checkHealthName(errors, `${at}.name`, resource, { container, pod });
    checkReports(errors, at, resource);
  });
}

function checkHealthName(
  errors: FieldErrors,
  path: string,
  { name }: ResourceStatus,
  { container, pod }: { readonly container: Container; readonly pod: Pod },
): void {
  const isClaim = name.startsWith(CLAIM_PREFIX);
  if (!isClaim) {
    if (!requestsResource(container, name)) errors.invalid(path, name, "must match one of the container's resource requests");
    return;
  }
  const used = (container.resources?.claims ?? []).map((claim) => CLAIM_PREFIX + (claim.request ? `${claim.name}/${claim.request}` : claim.name));
  const extended = pod.status?.extendedResourceClaimStatus;
  const generated = (extended?.requestMappings ?? [])
    .filter((mapping) => mapping.containerName === container.name)
    .map((mapping) => `${CLAIM_PREFIX}${extended?.resourceClaimName ?? ''}/${mapping.requestName}`);
  if (used.includes(name) || generated.includes(name)) return;
  errors.invalid(
    path,
    name,
    "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty",
  );
}

function checkReports(errors: FieldErrors, path: string, resource: ResourceStatus): void {
  const seen = new Set<string>();
  resource.resources?.forEach(({ resourceID, health = '', message }, index) => {
    const at = `${path}.resources[${index}]`;
    if (seen.has(resourceID)) errors.duplicate(`${at}.resourceID`, resourceID);
    seen.add(resourceID);
    if (!HEALTHS.includes(health)) errors.notSupported(`${at}.health`, health, HEALTHS);
    if (message === '') errors.required(`${at}.message`, 'must be non-empty if specified');
    if (message !== undefined && byteLength(message) > HEALTH_MESSAGE_MAX_LENGTH) errors.tooLong(`${at}.message`, HEALTH_MESSAGE_MAX_LENGTH);
  });
}
