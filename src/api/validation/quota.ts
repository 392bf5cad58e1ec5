/** Validation of ResourceQuota and LimitRange (upstream: core validation ValidateResourceQuota and ValidateLimitRange). */
import { type ApiObject, parseQuantity, type Quantity } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import { sameValue } from '../object.ts';
import type { LimitRange, LimitRangeItem, ResourceQuota, ResourceQuotaSpec } from '../types/core-v1.ts';
import { labelKeyProblems } from './names.ts';
import { FieldErrors } from './report.ts';

type Amounts = Readonly<Record<string, string>>;

/** Names without a domain that quota knows (core IsStandardQuotaResourceName). */
const STANDARD_QUOTA_NAMES = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
]);
const SCOPES = ['BestEffort', 'CrossNamespacePodAffinity', 'NotBestEffort', 'NotTerminating', 'PriorityClass', 'Terminating', 'VolumeAttributesClass'];

/** A new quota. */
export function validateQuota(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { spec = {} } = object as ResourceQuota;
  checkQuotaAmounts(errors, 'spec.hard', spec.hard);
  checkScopes(errors, spec);
  return errors.list;
}

/** An update of a quota: the scopes are fixed; /status has amounts too. */
export function validateQuotaUpdate(object: ApiObject, old: ApiObject, { subresource }: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  const [{ spec = {}, status = {} }, before] = [object as ResourceQuota, old as ResourceQuota];
  if (subresource === 'status') {
    checkQuotaAmounts(errors, 'status.hard', status.hard);
    checkQuotaAmounts(errors, 'status.used', status.used);
    return errors.list;
  }
  checkQuotaAmounts(errors, 'spec.hard', spec.hard);
  checkScopes(errors, spec);
  if (!sameValue([...(spec.scopes ?? [])].sort(), [...(before.spec?.scopes ?? [])].sort()))
    errors.invalid('spec.scopes', spec.scopes ?? null, 'field is immutable');
  return errors.list;
}

function checkQuotaAmounts(errors: FieldErrors, path: string, amounts: Amounts = {}): void {
  for (const [name, amount] of Object.entries(amounts)) {
    const at = `${path}[${name}]`;
    const problems = labelKeyProblems(name);
    errors.invalidAll(at, name, problems);
    const known = STANDARD_QUOTA_NAMES.has(name) || name.includes('/') || /^(count|requests\.hugepages-|hugepages-)/.test(name);
    if (problems.length === 0 && !known && !name.includes('.storageclass.')) errors.invalid(at, name, 'must be a standard resource for quota');
    const quantity = parseQuantity(amount);
    if (quantity === undefined) continue;
    if (quantity.sign() < 0) errors.invalid(at, amount, 'must be greater than or equal to 0');
    if (isCount(name) && quantity.milliValue() % 1000n !== 0n) errors.invalid(at, amount, 'must be an integer');
  }
}

/** Numbers of objects and of devices are whole (core IsIntegerResourceName). */
function isCount(name: string): boolean {
  return (name.includes('/') && !name.endsWith('storage')) || (STANDARD_QUOTA_NAMES.has(name) && !/cpu|memory|storage/.test(name));
}

function checkScopes(errors: FieldErrors, { scopes = [], scopeSelector }: ResourceQuotaSpec): void {
  scopes.forEach((scope, index) => {
    if (!SCOPES.includes(scope)) errors.invalid(`spec.scopes[${String(index)}]`, scope, 'unsupported scope');
  });
  const pairs = [
    ['BestEffort', 'NotBestEffort'],
    ['Terminating', 'NotTerminating'],
  ];
  const given: readonly string[] = scopes;
  if (pairs.some((pair) => pair.every((scope) => given.includes(scope)))) errors.invalid('spec.scopes', scopes, 'conflicting scopes');
  (scopeSelector?.matchExpressions ?? []).forEach(({ scopeName, operator, values = [] }, index) => {
    const at = `spec.scopeSelector.matchExpressions[${String(index)}]`;
    if (!SCOPES.includes(scopeName)) errors.invalid(`${at}.scopeName`, scopeName, 'unsupported scope');
    const listed = operator === 'In' || operator === 'NotIn';
    if (listed && values.length === 0) errors.required(`${at}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
    if (!listed && operator !== 'Exists' && operator !== 'DoesNotExist') errors.invalid(`${at}.operator`, operator, 'not a valid selector operator');
  });
}

/** A LimitRange: each type once, the smallest amount not above the usual ones, those not above the largest. */
export function validateLimitRange(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const types = new Set<string>();
  ((object as LimitRange).spec?.limits ?? []).forEach((item, index) => {
    const at = `spec.limits[${String(index)}]`;
    if (types.has(item.type)) errors.duplicate(`${at}.type`, item.type);
    types.add(item.type);
    checkLimitItem(errors, at, item);
  });
  return errors.list;
}

function checkLimitItem(errors: FieldErrors, at: string, item: LimitRangeItem): void {
  errors.invalidAll(`${at}.type`, item.type, labelKeyProblems(item.type));
  const { min = {}, max = {}, default: limit = {}, defaultRequest: request = {} } = item;
  if (item.type === 'Pod') {
    if (Object.keys(limit).length > 0) errors.forbidden(`${at}.default`, "may not be specified when `type` is 'Pod'");
    if (Object.keys(request).length > 0) errors.forbidden(`${at}.defaultRequest`, "may not be specified when `type` is 'Pod'");
  }
  const orders: readonly (readonly [string, Amounts, string, Amounts])[] = [
    ['min', min, 'max', max],
    ['min', min, 'defaultRequest', request],
    ['defaultRequest', request, 'max', max],
    ['defaultRequest', request, 'default', limit],
    ['min', min, 'default', limit],
    ['default', limit, 'max', max],
  ];
  for (const [lowName, low, highName, high] of orders) {
    for (const [resource, amount] of Object.entries(low)) {
      const [small, large] = [parsed(amount), parsed(high[resource])];
      if (small === undefined || large === undefined || small.compare(large) <= 0) continue;
      const [less, more] = [WORDS[lowName] ?? lowName, WORDS[highName] ?? highName];
      errors.invalid(`${at}.${lowName}[${resource}]`, amount, `${less} value ${amount} is greater than ${more} value ${high[resource] ?? ''}`);
    }
  }
}

/** How upstream's texts call the members. */
const WORDS: Readonly<Record<string, string>> = { defaultRequest: 'default request' };

function parsed(amount: string | undefined): Quantity | undefined {
  return amount === undefined ? undefined : parseQuantity(amount);
}
