/** Validation of pods, as far as claims and the basic shape go (core/validation ValidatePodSpec, resource claims parts). */
import { goStruct } from './go-struct.ts';
import { type ApiObject, parseQuantity } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import { sameValue } from '../object.ts';
import type { Container, Pod, PodResourceClaim, PodSpec, ResourceClaim, ResourceRequirements } from '../types/core-v1.ts';
import { dnsLabelProblems, dnsSubdomainProblems } from './names.ts';
import { checkLabel } from './dra-names.ts';
import { checkPodStatus } from './pod-status.ts';
import { FieldErrors } from './report.ts';

/** A new pod: containers with names, images and claims that exist in the pod. */
export function validatePod(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const spec = (object as Pod).spec;
  if (spec === undefined) errors.required('spec.containers');
  else checkPodSpec(errors, 'spec', spec);
  const isMirror = object.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined;
  // The path is upstream's.
  if (isMirror && (spec?.resourceClaims?.length ?? 0) > 0) errors.forbidden('[]', 'static pods do not support resource claims');
  return errors.list;
}

/** Marks pods that a kubelet shows for its static pods (core MirrorPodAnnotationKey). */
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** A pod spec at `path`, of a pod or a template. */
export function checkPodSpec(errors: FieldErrors, path: string, spec: PodSpec): void {
  const claims = spec.resourceClaims ?? [];
  checkPodClaims(errors, `${path}.resourceClaims`, claims);
  const known = new Set(claims.map((claim) => claim.name));
  if (spec.containers.length === 0) errors.required(`${path}.containers`);
  const names = new Set<string>();
  for (const member of ['initContainers', 'containers'] as const) {
    (spec[member] ?? []).forEach((container, index) => {
      const at = `${path}.${member}[${index}]`;
      checkContainer(errors, at, container, known);
      if (names.has(container.name)) errors.duplicate(`${at}.name`, container.name);
      names.add(container.name);
    });
  }
  (spec.ephemeralContainers ?? []).forEach((container, index) => {
    if (Object.keys(container.resources ?? {}).length > 0) {
      errors.forbidden(`${path}.ephemeralContainers[${index}].resources`, 'cannot be set for an Ephemeral Container');
    }
  });
  if ((spec.resources?.claims?.length ?? 0) > 0) errors.forbidden(`${path}.resources.claims`, 'claims may not be set for Resources at pod-level');
  if (spec.nodeName !== undefined && spec.nodeName !== '') errors.invalidAll(`${path}.nodeName`, spec.nodeName, dnsSubdomainProblems(spec.nodeName));
}

function checkContainer(errors: FieldErrors, path: string, container: Container, claims: ReadonlySet<string>): void {
  if (container.name === '') errors.required(`${path}.name`);
  else errors.invalidAll(`${path}.name`, container.name, dnsLabelProblems(container.name));
  if ((container.image ?? '') === '') errors.required(`${path}.image`);
  checkAmounts(errors, `${path}.resources`, container.resources ?? {});
  checkContainerClaims(errors, `${path}.resources.claims`, container.resources?.claims ?? [], claims);
}

/** Amounts are not negative; extended resources, which cannot be overcommitted, are limited to what is requested. */
function checkAmounts(errors: FieldErrors, path: string, { requests = {}, limits = {} }: ResourceRequirements): void {
  for (const [member, amounts] of [
    ['limits', limits],
    ['requests', requests],
  ] as const) {
    for (const [name, amount] of Object.entries(amounts)) {
      if ((parseQuantity(amount)?.sign() ?? 0) < 0) errors.invalid(`${path}.${member}[${name}]`, amount, 'must be greater than or equal to 0');
    }
  }
  for (const [name, amount] of Object.entries(requests)) {
    const limit = limits[name];
    if (limit === undefined) {
      if (isExtendedResource(name)) errors.required(`${path}.limits`, 'Limit must be set for non overcommitable resources');
    } else if (isExtendedResource(name) ? !isSameAmount(amount, limit) : isMore(amount, limit)) {
      const rule = isExtendedResource(name) ? 'equal to' : 'less than or equal to';
      errors.invalid(`${path}.requests`, amount, `must be ${rule} ${name} limit of ${limit}`);
    }
  }
}

/** Has a domain, but not Kubernetes' own; a class's implicit resource (deviceclass.resource.kubernetes.io) is not checked. */
function isExtendedResource(name: string): boolean {
  return name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.');
}

function isSameAmount(a: string, b: string): boolean {
  return compareAmounts(a, b) === 0;
}

function isMore(a: string, b: string): boolean {
  return compareAmounts(a, b) > 0;
}

function compareAmounts(a: string, b: string): number {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  return left === undefined || right === undefined ? 0 : left.compare(right);
}

function checkPodClaims(errors: FieldErrors, path: string, claims: readonly PodResourceClaim[]): void {
  const names = new Set<string>();
  claims.forEach((claim, index) => {
    const at = `${path}[${index}]`;
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (name === '') errors.required(`${at}.name`);
    else if (names.has(name)) errors.duplicate(`${at}.name`, name);
    else checkLabel(errors, `${at}.name`, name);
    names.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      errors.invalid(
        at,
        goStruct(claim, 'io.k8s.api.core.v1.PodResourceClaim'),
        'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
      );
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      errors.invalid(at, goStruct(claim, 'io.k8s.api.core.v1.PodResourceClaim'), 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`');
    }
    if (resourceClaimName !== undefined) errors.invalidAll(`${at}.resourceClaimName`, resourceClaimName, dnsSubdomainProblems(resourceClaimName));
    if (resourceClaimTemplateName !== undefined) {
      errors.invalidAll(`${at}.resourceClaimTemplateName`, resourceClaimTemplateName, dnsSubdomainProblems(resourceClaimTemplateName));
    }
  });
}

const AMONG = 'must be one of the names in pod.spec.resourceClaims';

/** A claim may be named once as a whole, or several times with different requests. */
function checkContainerClaims(errors: FieldErrors, path: string, claims: readonly ResourceClaim[], known: ReadonlySet<string>): void {
  const whole = new Set<string>();
  const parts = new Set<string>();
  claims.forEach(({ name, request = '' }, index) => {
    const at = `${path}[${index}]`;
    if (name === '') errors.required(`${at}.name`);
    else {
      const key = request === '' ? name : `${name}/${request}`;
      const clash = whole.has(name) || parts.has(key) || (request === '' && [...parts].some((part) => part.startsWith(`${name}/`)));
      if (clash) errors.duplicate(at, key);
      if (request === '') whole.add(name);
      else parts.add(key);
      if (!known.has(name)) errors.notFound(at, name, known.size === 0 ? `${AMONG} which is empty` : `${AMONG}: ${[...known].sort().join(', ')}`);
    }
    if (request !== '') checkLabel(errors, `${at}.request`, request);
  });
}

/** What an update of a pod's spec may change: images, deadlines, additions to tolerations (core ValidatePodUpdate). */
export function validatePodUpdate(object: ApiObject, old: ApiObject, context: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  const [pod, before] = [object as Pod, old as Pod];
  if (context.subresource === 'status') {
    checkPodStatus(errors, pod);
    return errors.list;
  }
  if (pod.spec === undefined || before.spec === undefined) return errors.list;
  checkPodSpec(errors, 'spec', pod.spec);
  if (!sameValue(withMutableFrom(pod.spec, before.spec), before.spec)) errors.forbidden('spec', FIXED);
  return errors.list;
}

const FIXED =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** The new spec with everything that may change taken from the old one: what is left must be equal. */
function withMutableFrom(spec: PodSpec, before: PodSpec): PodSpec {
  const images = (next: readonly Container[] | undefined, past: readonly Container[] | undefined) =>
    next?.map((container, index) => ({ ...container, image: past?.[index]?.image }));
  const onlyAdded = (before.tolerations ?? []).every((toleration) => spec.tolerations?.some((other) => sameValue(other, toleration)));
  const onlyFewerGates = (spec.schedulingGates ?? []).every((gate) => before.schedulingGates?.some((other) => other.name === gate.name));
  return {
    ...spec,
    containers: images(spec.containers, before.containers) ?? [],
    initContainers: images(spec.initContainers, before.initContainers),
    activeDeadlineSeconds: before.activeDeadlineSeconds,
    ...(onlyAdded && { tolerations: before.tolerations }),
    ...(onlyFewerGates && { schedulingGates: before.schedulingGates }),
  };
}
