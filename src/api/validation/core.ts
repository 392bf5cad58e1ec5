/** Validation of ConfigMap and Namespace (upstream: pkg/apis/core/validation). */
import type { ApiObject } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import { sameValue } from '../object.ts';
import type { ConfigMap, Namespace, Secret } from '../types/core-v1.ts';
import { checkFinalizerName } from './metadata.ts';
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

/** What an immutable ConfigMap or Secret may not lose or change. */
export function immutableErrors(next: ConfigMap | Secret, before: ConfigMap | Secret): readonly FieldError[] {
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

/** A key of the data of a ConfigMap or Secret. */
export function checkKey(errors: FieldErrors, path: string, key: string): void {
  const at = `${path}[${key}]`;
  if (key.length > KEY_MAX_LENGTH) errors.invalid(at, key, `must be no more than ${String(KEY_MAX_LENGTH)} characters`);
  if (!CONFIG_MAP_KEY.test(key)) errors.invalid(at, key, CONFIG_MAP_KEY_TEXT);
  else if (key === '.') errors.invalid(at, key, "must not be '.'");
  else if (key === '..') errors.invalid(at, key, "must not be '..'");
  else if (key.startsWith('..')) errors.invalid(at, key, "must not start with '..'");
}

/** A new Namespace: what stands for its contents has names of finalizers. */
export function validateNamespace(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  for (const finalizer of (object as Namespace).spec?.finalizers ?? []) checkFinalizerName(errors, 'spec.finalizers', finalizer);
  return errors.list;
}

/** A changed Namespace: its phase follows from whether it is being deleted. */
export function validateNamespaceUpdate(object: ApiObject, _old: ApiObject, { subresource }: StrategyContext): readonly FieldError[] {
  if (subresource === '') return validateNamespace(object);
  const errors = new FieldErrors();
  const { spec, status } = object as Namespace;
  if (subresource === 'finalize') {
    (spec?.finalizers ?? []).forEach((finalizer, index) => checkFinalizerName(errors, `spec.finalizers[${index}]`, finalizer));
    return errors.list;
  }
  const deleted = object.metadata.deletionTimestamp !== undefined;
  const only = deleted ? 'Terminating' : 'Active';
  if (status?.phase !== only)
    errors.invalid('status.Phase', status?.phase ?? '', `may only be '${only}' if \`deletionTimestamp\` is ${deleted ? 'not empty' : 'empty'}`);
  return errors.list;
}

/** What numbers make together. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Bytes that a base64 text stands for. */
export function decodedLength(base64: string): number {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4);
}
