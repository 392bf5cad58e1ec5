/** Validation of ConfigMap, Secret, Namespace and Node (upstream: pkg/apis/core/validation). */
import type { ApiObject } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import { sameValue } from '../object.ts';
import type { ConfigMap, Namespace, Node, Secret } from '../types/core-v1.ts';
import { byteLength, FieldErrors } from './report.ts';

/** Bytes that the values of a ConfigMap or Secret may have together (core MaxSecretSize). */
export const MAX_SECRET_SIZE = 1024 * 1024;
/** apimachinery validation.IsConfigMapKey. */
const CONFIG_MAP_KEY = /^[-._a-zA-Z0-9]+$/;
const CONFIG_MAP_KEY_TEXT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const KEY_MAX_LENGTH = 253;

/** A new ConfigMap: keys, and the size of all values. */
export function validateConfigMap(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { data = {}, binaryData = {} } = object as ConfigMap;
  for (const key of Object.keys(data)) {
    checkKey(errors, 'data', key);
    if (Object.hasOwn(binaryData, key)) errors.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData');
  }
  for (const key of Object.keys(binaryData)) checkKey(errors, 'binaryData', key);
  const size = sum(Object.values(data).map(byteLength)) + sum(Object.values(binaryData).map(decodedLength));
  // An empty path means the object as a whole.
  if (size > MAX_SECRET_SIZE) errors.tooLong('', MAX_SECRET_SIZE);
  return errors.list;
}

/** A changed ConfigMap; an immutable one keeps its data. */
export function validateConfigMapUpdate(object: ApiObject, old: ApiObject): readonly FieldError[] {
  return [...immutableErrors(object as ConfigMap, old as ConfigMap), ...validateConfigMap(object)];
}

function immutableErrors(next: ConfigMap | Secret, before: ConfigMap | Secret): readonly FieldError[] {
  const errors = new FieldErrors();
  if (before.immutable !== true) return errors.list;
  const why = 'field is immutable when `immutable` is set';
  if (next.immutable !== true) errors.forbidden('immutable', why);
  if (!sameValue(next.data, before.data)) errors.forbidden('data', why);
  if ('binaryData' in next || 'binaryData' in before) {
    if (!sameValue((next as ConfigMap).binaryData, (before as ConfigMap).binaryData)) errors.forbidden('binaryData', why);
  }
  return errors.list;
}

function checkKey(errors: FieldErrors, path: string, key: string): void {
  const at = `${path}[${key}]`;
  if (key.length > KEY_MAX_LENGTH) errors.invalid(at, key, `must be no more than ${String(KEY_MAX_LENGTH)} characters`);
  if (!CONFIG_MAP_KEY.test(key)) errors.invalid(at, key, CONFIG_MAP_KEY_TEXT);
  else if (key === '.') errors.invalid(at, key, "must not be '.'");
  else if (key === '..') errors.invalid(at, key, "must not be '..'");
  else if (key.startsWith('..')) errors.invalid(at, key, "must not start with '..'");
}

/** What secrets of a type must carry: annotations or data keys, of which one or all (core/v1 SecretType constants). */
const SECRET_TYPES: Readonly<Record<string, { readonly keys: readonly string[]; readonly any?: boolean }>> = {
  'kubernetes.io/dockercfg': { keys: ['.dockercfg'] },
  'kubernetes.io/dockerconfigjson': { keys: ['.dockerconfigjson'] },
  'kubernetes.io/basic-auth': { keys: ['username', 'password'], any: true },
  'kubernetes.io/ssh-auth': { keys: ['ssh-privatekey'] },
  'kubernetes.io/tls': { keys: ['tls.crt', 'tls.key'] },
};
const SERVICE_ACCOUNT_TOKEN = 'kubernetes.io/service-account-token';
const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';

/** A new Secret: keys, size, and what its type demands. */
export function validateSecret(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { data = {}, type = '' } = object as Secret;
  for (const key of Object.keys(data)) checkKey(errors, 'data', key);
  if (sum(Object.values(data).map(decodedLength)) > MAX_SECRET_SIZE) errors.tooLong('data', MAX_SECRET_SIZE);
  const annotated = (object.metadata.annotations?.[SERVICE_ACCOUNT_NAME] ?? '') !== '';
  if (type === SERVICE_ACCOUNT_TOKEN && !annotated) errors.required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`);
  const { keys = [], any = false } = SECRET_TYPES[type] ?? {};
  const missing = keys.filter((key) => !Object.hasOwn(data, key));
  if (!any || missing.length === keys.length) for (const key of missing) errors.required(`data[${key}]`);
  return errors.list;
}

/** A changed Secret: its type stays, an immutable one keeps its data. */
export function validateSecretUpdate(object: ApiObject, old: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const [next, before] = [object as Secret, old as Secret];
  if (next.type !== before.type) errors.invalid('type', next.type, 'field is immutable');
  return [...errors.list, ...immutableErrors(next, before), ...validateSecret(object)];
}

/** A changed Namespace: its phase follows from whether it is being deleted. */
export function validateNamespaceUpdate(object: ApiObject, _old: ApiObject, { subresource }: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  if (subresource !== 'status') return errors.list;
  const phase = (object as Namespace).status?.phase;
  const deleted = object.metadata.deletionTimestamp !== undefined;
  const only = deleted ? 'Terminating' : 'Active';
  if (phase !== only) errors.invalid('status.Phase', phase, `may only be '${only}' if \`deletionTimestamp\` is ${deleted ? 'not empty' : 'empty'}`);
  return errors.list;
}

/** A changed Node: what is fixed once it is set, and addresses that occur once. */
export function validateNodeUpdate(object: ApiObject, old: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const [next, before] = [object as Node, old as Node];
  const addresses = new Set<string>();
  (next.status?.addresses ?? []).forEach((address, index) => {
    const key = `${address.type} ${address.address}`;
    if (addresses.has(key)) errors.duplicate(`status.addresses[${String(index)}]`, address);
    addresses.add(key);
  });
  const [cidrs, earlier] = [next.spec?.podCIDRs ?? [], before.spec?.podCIDRs ?? []];
  if (earlier.length > 0 && !sameValue(cidrs, earlier)) errors.forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid');
  const provider = before.spec?.providerID ?? '';
  if (provider !== '' && next.spec?.providerID !== provider) {
    errors.forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid');
  }
  return errors.list;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Bytes that a base64 text stands for. */
function decodedLength(base64: string): number {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4);
}
