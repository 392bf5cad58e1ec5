/** Names and amounts of resources, as pods, nodes, quotas and limit ranges share them (core/helper and core/validation). */
import { parseQuantity, Quantity } from '#machinery';
import { labelKeyProblems } from './names.ts';
import type { FieldErrors } from './report.ts';

/** Prefix of the names of huge pages, followed by their size (core ResourceHugePagesPrefix). */
export const HUGE_PAGES = 'hugepages-';
const CONTAINER_RESOURCES: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);
/** What is counted in whole numbers besides extended resources (helper.IsIntegerResourceName). */
const COUNTED = 'pods resourcequotas services replicationcontrollers secrets configmaps persistentvolumeclaims services.nodeports services.loadbalancers'.split(
  ' ',
);
const WHOLE_RESOURCES: ReadonlySet<string> = new Set(COUNTED);
/** Names without a domain that quotas know (helper.IsStandardQuotaResourceName). */
const QUOTA_RESOURCES: ReadonlySet<string> = new Set([
  ...COUNTED,
  ...'cpu memory ephemeral-storage'.split(' '),
  ...'requests.cpu requests.memory requests.storage requests.ephemeral-storage limits.cpu limits.memory limits.ephemeral-storage'.split(' '),
]);
/** Names without a domain that mean something to quotas or nodes (helper.IsStandardResourceName). */
const STANDARD_RESOURCES: ReadonlySet<string> = new Set([...QUOTA_RESOURCES, 'storage']);

/** Whether quotas know a name without a domain; huge pages count in both their forms. */
export function isStandardQuotaResource(name: string): boolean {
  return QUOTA_RESOURCES.has(name) || isHugePagesOfQuota(name);
}

function isHugePagesOfQuota(name: string): boolean {
  return name.startsWith(HUGE_PAGES) || name.startsWith(`requests.${HUGE_PAGES}`);
}

/** Has a domain, but not Kubernetes' own; a class's implicit resource (deviceclass.resource.kubernetes.io) is none. */
function isExtendedResource(name: string): boolean {
  return isForeign(name) && !name.startsWith('requests.') && labelKeyProblems(`requests.${name}`).length === 0;
}

/** Whether the name has a domain that is not Kubernetes' own. */
function isForeign(name: string): boolean {
  return name.includes('/') && !name.includes('kubernetes.io/');
}

/** Only Kubernetes' own resources can be promised more than once, and huge pages not. */
export function allowsOvercommit(name: string): boolean {
  return !isForeign(name) && !name.startsWith(HUGE_PAGES);
}

/** A qualified name; one without a domain must be known. Whether all is well (validateResourceName). */
export function checkResourceName(errors: FieldErrors, path: string, name: string): boolean {
  const problems = labelKeyProblems(name);
  errors.invalidAll(path, name, problems);
  if (problems.length > 0) return false;
  if (name.includes('/') || STANDARD_RESOURCES.has(name) || isHugePagesOfQuota(name)) return true;
  errors.invalid(path, name, 'must be a standard resource type or fully qualified');
  return false;
}

/** A name that a container may ask for (validateContainerResourceName). */
export function checkContainerResourceName(errors: FieldErrors, path: string, name: string): void {
  checkResourceName(errors, path, name);
  if (!name.includes('/')) {
    if (!name.startsWith(HUGE_PAGES) && !CONTAINER_RESOURCES.has(name)) errors.invalid(path, name, 'must be a standard resource for containers');
  } else if (isForeign(name) && !isExtendedResource(name)) errors.invalid(path, name, "doesn't follow extended resource name standard");
}

/** An amount of a resource: not negative, and whole where the resource is counted (ValidateResourceQuantityValue). */
export function checkResourceAmount(errors: FieldErrors, path: string, name: string, amount: string): void {
  const quantity = amountOf(amount);
  if (quantity.sign() < 0) errors.invalid(path, amount, 'must be greater than or equal to 0');
  if ((WHOLE_RESOURCES.has(name) || isExtendedResource(name)) && quantity.milliValue() % 1000n !== 0n) errors.invalid(path, amount, 'must be an integer');
}

/** The amount that a text of a decoded object stands for: decoding has refused what is no quantity. */
export function amountOf(text: string): Quantity {
  return parseQuantity(text) ?? Quantity.of(0);
}
