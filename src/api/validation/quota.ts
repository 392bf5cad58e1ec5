/** Validation of ResourceQuota (core/validation ValidateResourceQuota). */
import type { ApiObject } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import { sameValue } from '../object.ts';
import type { ResourceQuota, ResourceQuotaSpec, ScopedResourceSelectorRequirement } from '../types/core-v1.ts';
import { goStruct } from './go-struct.ts';
import { FieldErrors } from './report.ts';
import { checkResourceAmount, checkResourceName, isStandardQuotaResource } from './resource-names.ts';

type Amounts = Readonly<Record<string, string>>;

const PODS = 'pods';
const POD_AMOUNTS = [PODS, 'cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'];
/** Scopes and the resources that they can be told apart by (helper.IsResourceQuotaScopeValidForResource). */
const SCOPES: ReadonlyMap<string, readonly string[]> = new Map([
  ['Terminating', POD_AMOUNTS],
  ['NotTerminating', POD_AMOUNTS],
  ['BestEffort', [PODS]],
  ['NotBestEffort', POD_AMOUNTS],
  ['PriorityClass', POD_AMOUNTS],
  ['CrossNamespacePodAffinity', POD_AMOUNTS],
  ['VolumeAttributesClass', ['persistentvolumeclaims', 'requests.storage']],
]);
/** Scopes that a pod is in or not, whatever its values. */
const VALUELESS: readonly string[] = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity'];
const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
];

/** A new quota. */
export function validateQuota(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  checkSpec(errors, (object as ResourceQuota).spec ?? {});
  return errors.list;
}

/** An update of a quota: the scopes are fixed; /status has amounts only. */
export function validateQuotaUpdate(object: ApiObject, old: ApiObject, { subresource }: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  const [{ spec = {}, status = {} }, before] = [object as ResourceQuota, old as ResourceQuota];
  if (subresource === 'status') {
    checkAmounts(errors, 'status.hard', status.hard);
    checkAmounts(errors, 'status.used', status.used);
    return errors.list;
  }
  checkSpec(errors, spec);
  const scopes = (of: ResourceQuotaSpec | undefined) => [...new Set(of?.scopes)].sort();
  if (!sameValue(scopes(spec), scopes(before.spec))) errors.invalid('spec.scopes', spec.scopes ?? null, 'field is immutable');
  return errors.list;
}

function checkSpec(errors: FieldErrors, spec: ResourceQuotaSpec): void {
  checkAmounts(errors, 'spec.hard', spec.hard);
  checkScopes(errors, spec);
  checkScopeSelector(errors, spec);
}

function checkAmounts(errors: FieldErrors, path: string, amounts: Amounts = {}): void {
  for (const [name, amount] of Object.entries(amounts)) {
    const at = `${path}[${name}]`;
    checkResourceName(errors, at, name);
    if (!name.includes('/') && !isStandardQuotaResource(name)) errors.invalid(at, name, 'must be a standard resource for quota');
    checkResourceAmount(errors, at, name, amount);
  }
}

/** Each of the scopes is told as the whole list, as upstream does. */
function checkScopes(errors: FieldErrors, { scopes = [], hard = {} }: ResourceQuotaSpec): void {
  const path = 'spec.scopes';
  for (const scope of scopes) {
    if (!SCOPES.has(scope)) errors.invalid(path, scopes, 'unsupported scope');
    for (let time = unfit(scope, hard); time > 0; time--) errors.invalid(path, scopes, 'unsupported scope applied to resource');
  }
  for (let time = conflictsOf(scopes); time > 0; time--) errors.invalid(path, scopes, 'conflicting scopes');
}

/** How many of the resources cannot be told apart by the scope. */
function unfit(scope: string, hard: Amounts): number {
  const fit = SCOPES.get(scope);
  if (fit === undefined) return 0;
  return Object.keys(hard).filter((name) => isStandardQuotaResource(name) && !fit.includes(name)).length;
}

function conflictsOf(scopes: readonly string[]): number {
  return CONFLICTS.filter((pair) => pair.every((scope) => scopes.includes(scope))).length;
}

/** The paths, without index, are upstream's. */
function checkScopeSelector(errors: FieldErrors, { scopes, scopeSelector, hard = {} }: ResourceQuotaSpec): void {
  if (scopeSelector === undefined) return;
  const path = 'spec.scopeSelector.matchExpressions';
  const requirements = scopeSelector.matchExpressions ?? [];
  const shown = goStruct(scopeSelector, 'io.k8s.api.core.v1.ScopeSelector');
  for (const requirement of requirements) {
    if (!SCOPES.has(requirement.scopeName)) errors.invalid(`${path}.scopeName`, requirement.scopeName, 'unsupported scope');
    for (let time = unfit(requirement.scopeName, hard); time > 0; time--) errors.invalid(path, shown, 'unsupported scope applied to resource');
    checkOperator(errors, path, requirement);
  }
  const names = requirements.map(({ scopeName }) => scopeName);
  // What is shown of a conflict are the other scopes, as upstream does.
  for (let time = conflictsOf(names); time > 0; time--) errors.invalid(path, scopes ?? null, 'conflicting scopes');
}

function checkOperator(errors: FieldErrors, path: string, { scopeName, operator, values = [] }: ScopedResourceSelectorRequirement): void {
  if (VALUELESS.includes(scopeName) && operator !== 'Exists')
    errors.invalid(
      `${path}.operator`,
      operator,
      "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
    );
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.required(`${path}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) errors.invalid(`${path}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
  } else errors.invalid(`${path}.operator`, operator, 'not a valid selector operator');
}
