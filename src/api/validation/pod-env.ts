/** Validation of environments and of what they and volumes take from the pod itself (core/validation, ValidateEnv and the downward API). */
import { parseQuantity } from '#machinery';
import type { EnvFromSource, EnvVar, EnvVarSource, ObjectFieldSelector, ResourceFieldSelector } from '../types/core-v1.ts';
import { dnsSubdomainProblems, labelKeyProblems } from './names.ts';
import { checkLocalPath, configKeyProblems, environmentNameProblems } from './pod-names.ts';
import type { FieldErrors } from './report.ts';

/** Fields of a pod that a variable can show. */
const ENVIRONMENT_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** Fields of a pod that a file can show. */
export const VOLUME_FIELDS: readonly string[] = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];
/** All fields that have a name in the downward API; a subscript chooses one label or annotation. */
const CONVERTIBLE_FIELDS: ReadonlySet<string> = new Set([
  ...ENVIRONMENT_FIELDS,
  ...VOLUME_FIELDS,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
  'spec.host',
]);
/** Amounts of a container that can be shown. */
const AMOUNTS = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory'];
const DIVISORS: readonly string[] = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

/** The variables of a container. */
export function checkEnvironment(errors: FieldErrors, path: string, variables: readonly EnvVar[]): void {
  variables.forEach((variable, index) => {
    const at = `${path}[${index}]`;
    if (variable.name === '') errors.required(`${at}.name`);
    else errors.invalidAll(`${at}.name`, variable.name, environmentNameProblems(variable.name));
    if (variable.valueFrom !== undefined) checkSource(errors, `${at}.valueFrom`, variable.valueFrom, variable.value ?? '');
  });
}

const NO_SOURCE = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';

function checkSource(errors: FieldErrors, path: string, source: EnvVarSource, value: string): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  if (fieldRef !== undefined) checkObjectField(errors, `${path}.fieldRef`, fieldRef, ENVIRONMENT_FIELDS);
  if (resourceFieldRef !== undefined) checkResourceField(errors, `${path}.resourceFieldRef`, resourceFieldRef);
  if (configMapKeyRef !== undefined) checkKey(errors, `${path}.configMapKeyRef`, configMapKeyRef);
  if (secretKeyRef !== undefined) checkKey(errors, `${path}.secretKeyRef`, secretKeyRef);
  if (fileKeyRef !== undefined) {
    if (fileKeyRef.key === '') errors.required(`${path}.fileKeyRef.key`);
    else errors.invalidAll(`${path}.fileKeyRef.key`, fileKeyRef.key, environmentNameProblems(fileKeyRef.key));
    if (fileKeyRef.volumeName === '') errors.required(`${path}.fileKeyRef.volumeName`);
    if (fileKeyRef.path === '') errors.required(`${path}.fileKeyRef.path`);
    else checkLocalPath(errors, `${path}.fileKeyRef.path`, fileKeyRef.path);
  }
  const count = Object.values(source).filter((member) => member !== undefined).length;
  if (count === 0) errors.invalid(path, '', NO_SOURCE);
  else if (value !== '') errors.invalid(path, '', 'may not be specified when `value` is not empty');
  else if (count > 1) errors.invalid(path, '', 'may not have more than one field specified at a time');
}

function checkKey(errors: FieldErrors, path: string, { name = '', key }: { readonly name?: string | undefined; readonly key: string }): void {
  errors.invalidAll(`${path}.name`, name, dnsSubdomainProblems(name));
  if (key === '') errors.required(`${path}.key`);
  else errors.invalidAll(`${path}.key`, key, configKeyProblems(key));
}

const SUBSCRIPTED = /^(.*)\['(.*)'\]$/s;

/** A field of the pod, or one of its labels or annotations. */
export function checkObjectField(errors: FieldErrors, path: string, { apiVersion = '', fieldPath }: ObjectFieldSelector, supported: readonly string[]): void {
  if (apiVersion === '') return errors.required(`${path}.apiVersion`);
  if (fieldPath === '') return errors.required(`${path}.fieldPath`);
  const unknown = (why: string): void => errors.invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`);
  if (apiVersion !== 'v1') return unknown(`unsupported pod version: ${apiVersion}`);
  const [, base = '', subscript] = SUBSCRIPTED.exec(fieldPath) ?? [];
  if (subscript !== undefined) {
    if (base === 'metadata.annotations') errors.invalidAll(path, subscript.toLowerCase(), labelKeyProblems(subscript.toLowerCase()));
    else if (base === 'metadata.labels') errors.invalidAll(path, subscript, labelKeyProblems(subscript));
    else unknown(`field label does not support subscript: ${fieldPath}`);
    return;
  }
  if (!CONVERTIBLE_FIELDS.has(fieldPath)) return unknown(`field label not supported: ${fieldPath}`);
  const field = fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath;
  if (!supported.includes(field)) errors.notSupported(`${path}.fieldPath`, field, [...supported].sort());
}

/** An amount of a container; files name the container. */
export function checkResourceField(errors: FieldErrors, path: string, selector: ResourceFieldSelector, inVolume = false): void {
  const { containerName = '', resource, divisor } = selector;
  const isHugePages = /^(limits|requests)\.hugepages-/.test(resource);
  if (inVolume && containerName === '') errors.required(`${path}.containerName`);
  else if (resource === '') errors.required(`${path}.resource`);
  else if (!AMOUNTS.includes(resource) && !isHugePages) errors.notSupported(`${path}.resource`, resource, AMOUNTS);
  const amount = parseQuantity(divisor ?? '0');
  if (amount === undefined || amount.isZero()) return;
  const problem = divisorProblem(resource.replace(/^(limits|requests)\./, ''), amount.toString());
  if (problem !== undefined) errors.invalid(`${path}.divisor`, resource, problem);
}

const DIVISORS_OF: Readonly<Record<string, string>> = { memory: 'memory', 'ephemeral-storage': 'local ephemeral storage' };

function divisorProblem(resource: string, divisor: string): string | undefined {
  if (resource === 'cpu') return divisor === '1m' || divisor === '1' ? undefined : "only divisor's values 1m and 1 are supported with the cpu resource";
  const name = resource.startsWith('hugepages-') ? 'hugepages' : DIVISORS_OF[resource];
  if (name === undefined || DIVISORS.includes(divisor)) return undefined;
  return `only divisor's values ${DIVISORS.join(', ')} are supported with the ${name} resource`;
}

/** Whole ConfigMaps and Secrets as variables. */
export function checkEnvironmentSources(errors: FieldErrors, path: string, sources: readonly EnvFromSource[]): void {
  sources.forEach(({ prefix = '', configMapRef, secretRef }, index) => {
    const at = `${path}[${index}]`;
    if (prefix !== '') errors.invalidAll(`${at}.prefix`, prefix, environmentNameProblems(prefix));
    for (const [member, reference] of Object.entries({ configMapRef, secretRef })) {
      if (reference === undefined) continue;
      if ((reference.name ?? '') === '') errors.required(`${at}.${member}.name`);
      else errors.invalidAll(`${at}.${member}.name`, reference.name, dnsSubdomainProblems(reference.name ?? ''));
    }
    if (configMapRef === undefined && secretRef === undefined) errors.invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`');
    else if (configMapRef !== undefined && secretRef !== undefined) errors.invalid(path, '', 'may not have more than one field specified at a time');
  });
}
