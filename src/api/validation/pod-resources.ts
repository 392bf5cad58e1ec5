/** Validation of what containers and pods ask for: amounts and claims (core/validation validateResourceRequirements). */
import type { PodSpec, ResourceClaim, ResourceRequirements } from '../types/core-v1.ts';
import { checkLabel } from './dra-names.ts';
import type { FieldErrors } from './report.ts';
import { allowsOvercommit, amountOf, checkContainerResourceName, checkResourceAmount, checkResourceName, HUGE_PAGES } from './resource-names.ts';

const POD_RESOURCES = ['cpu', 'hugepages-', 'memory'];

/** Requests and limits of a container, or of a pod as a whole. */
export function checkRequirements(errors: FieldErrors, path: string, { requests = {}, limits = {} }: ResourceRequirements, ofPod = false): void {
  for (const [name, amount] of sortedEntries(limits)) checkAmount(errors, `${path}.limits[${name}]`, { name, amount, ofPod });
  for (const [name, amount] of sortedEntries(requests)) {
    checkAmount(errors, `${path}.requests[${name}]`, { name, amount, ofPod });
    const limit = limits[name];
    if (limit !== undefined) checkAgainstLimit(errors, `${path}.requests`, { name, amount, limit });
    else if (!allowsOvercommit(name)) errors.required(`${path}.limits`, 'Limit must be set for non overcommitable resources');
  }
  const names = [...Object.keys(requests), ...Object.keys(limits)];
  if (names.some((name) => name.startsWith(HUGE_PAGES)) && !names.includes('cpu') && !names.includes('memory'))
    errors.forbidden(path, 'HugePages require cpu or memory');
}

function sortedEntries(amounts: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1));
}

interface NamedAmount {
  readonly name: string;
  readonly amount: string;
}

function checkAgainstLimit(errors: FieldErrors, path: string, { name, amount, limit }: NamedAmount & { readonly limit: string }): void {
  const order = amountOf(amount).compare(amountOf(limit));
  if (order !== 0 && !allowsOvercommit(name)) errors.invalid(path, amount, `must be equal to ${name} limit of ${limit}`);
  else if (order > 0) errors.invalid(path, amount, `must be less than or equal to ${name} limit of ${limit}`);
}

function checkAmount(errors: FieldErrors, path: string, { name, amount, ofPod }: NamedAmount & { readonly ofPod: boolean }): void {
  if (ofPod) checkPodResourceName(errors, path, name);
  else checkContainerResourceName(errors, path, name);
  checkResourceAmount(errors, path, name, amount);
}

function checkPodResourceName(errors: FieldErrors, path: string, name: string): void {
  const known = checkResourceName(errors, path, name);
  if (known && !name.startsWith(HUGE_PAGES) && !POD_RESOURCES.includes(name)) errors.notSupported(path, name, POD_RESOURCES);
}

const AMONG = 'must be one of the names in pod.spec.resourceClaims';

/** A claim may be named once as a whole, or several times with different requests. */
export function checkContainerClaims(errors: FieldErrors, path: string, claims: readonly ResourceClaim[], known: ReadonlySet<string>): void {
  const whole = new Set<string>();
  const parts = new Set<string>();
  const divided = new Set<string>();
  claims.forEach(({ name, request = '' }, index) => {
    const at = `${path}[${index}]`;
    if (name === '') errors.required(at);
    else {
      const key = request === '' ? name : `${name}/${request}`;
      const clash = whole.has(name) || parts.has(key) || (request === '' && divided.has(name));
      if (clash) errors.duplicate(at, key);
      if (request === '') whole.add(name);
      else {
        parts.add(key);
        divided.add(name);
      }
      if (!known.has(name) && !errors.full)
        errors.notFound(at, name, known.size === 0 ? `${AMONG} which is empty` : `${AMONG}: ${[...known].sort().join(', ')}`);
    }
    if (request !== '') checkLabel(errors, `${at}.request`, request);
  });
}

/** What the pod as a whole asks for; its containers must fit in. */
export function checkPodResources(errors: FieldErrors, path: string, { resources, containers }: PodSpec): void {
  if (resources === undefined) return;
  if ((resources.claims?.length ?? 0) > 0) errors.forbidden(`${path}.claims`, 'claims may not be set for Resources at pod-level');
  checkRequirements(errors, path, resources, true);
  checkContainersFit(errors, path, resources, containers);
}

function checkContainersFit(errors: FieldErrors, path: string, { requests = {}, limits = {} }: ResourceRequirements, containers: PodSpec['containers']): void {
  for (const [name, amount] of sortedEntries(requests)) {
    const asked = containers.flatMap(({ resources }) => resources?.requests?.[name] ?? []);
    const sum = asked.reduce((total, own) => total.add(amountOf(own)), amountOf('0'));
    if (asked.length > 0 && sum.compare(amountOf(amount)) > 0)
      errors.invalid(`${path}.requests[${name}]`, amount, `must be greater than or equal to aggregate container requests of ${sum.toString()}`);
  }
  containers.forEach(({ resources }, index) => {
    for (const [name, limit] of sortedEntries(resources?.limits ?? {})) {
      const most = limits[name];
      if (most !== undefined && amountOf(limit).compare(amountOf(most)) > 0)
        errors.invalid(`${path}.containers[${index}][${name}].limits`, limit, `must be less than or equal to pod limits of ${most}`);
    }
  });
}
