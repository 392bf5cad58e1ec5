/** Validation of Secret (core/validation ValidateSecret). */
import { type ApiObject, goJsonType, parseJson } from '#machinery';
import type { FieldError } from '../kind.ts';
import type { Secret } from '../types/core-v1.ts';
import { checkKey, decodedLength, immutableErrors, MAX_SECRET_SIZE, sum } from './core.ts';
import { FieldErrors } from './report.ts';

/** What the data of secrets of a type must carry: some keys or one of them, some with a content that is not empty (core/v1 SecretType constants). */
const SECRET_TYPES: Readonly<Record<string, { readonly keys: readonly string[]; readonly any?: boolean; readonly filled?: boolean; readonly json?: boolean }>> =
  {
    'kubernetes.io/dockercfg': { keys: ['.dockercfg'], json: true },
    'kubernetes.io/dockerconfigjson': { keys: ['.dockerconfigjson'], json: true },
    'kubernetes.io/basic-auth': { keys: ['username', 'password'], any: true },
    'kubernetes.io/ssh-auth': { keys: ['ssh-privatekey'], filled: true },
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
  const { keys = [], any = false, filled = false, json = false } = SECRET_TYPES[type] ?? {};
  const missing = keys.filter((key) => !Object.hasOwn(data, key) || (filled && data[key] === ''));
  if (!any || missing.length === keys.length) for (const key of missing) errors.required(`data[${key}]`);
  if (json) for (const key of keys) if (Object.hasOwn(data, key)) checkJsonObject(errors, `data[${key}]`, data[key] ?? '');
  return errors.list;
}

/** A changed Secret: its type stays, an immutable one keeps its data. */
export function validateSecretUpdate(object: ApiObject, old: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const [next, before] = [object as Secret, old as Secret];
  if (next.type !== before.type) errors.invalid('type', next.type, 'field is immutable');
  return [...errors.list, ...immutableErrors(next, before), ...validateSecret(object)];
}

/** Bytes that must be the JSON of an object; what they are is not told. */
function checkJsonObject(errors: FieldErrors, path: string, base64: string): void {
  const problem = jsonObjectProblem(atob(base64.replaceAll(/[\r\n]/g, '')));
  if (problem !== undefined) errors.invalid(path, '<secret contents redacted>', problem);
}

function jsonObjectProblem(text: string): string | undefined {
  const start = text.trimStart();
  if (start === '') return 'unexpected end of JSON input';
  if (!/^[-{["0-9tfn]/.test(start)) return `invalid character '${start.charAt(0)}' looking for beginning of value`;
  try {
    const value = parseJson(text);
    const isObject = typeof value === 'object' && !Array.isArray(value);
    return isObject ? undefined : `json: cannot unmarshal ${goJsonType(value)} into Go value of type map[string]interface {}`;
  } catch {
    return 'unexpected end of JSON input';
  }
}

/** Upstream compares certificate and key as TLS would; here only that both are there is looked at. */
export function secretWarnings(object: ApiObject): readonly string[] {
  const { data = {}, type } = object as Secret;
  if (type !== 'kubernetes.io/tls') return [];
  const blind = (['certificate', 'key'] as const).find((what) => !isPem(data[what === 'key' ? 'tls.key' : 'tls.crt'] ?? ''));
  return blind === undefined ? [] : [`tls: failed to find any PEM data in ${blind} input`];
}

function isPem(base64: string): boolean {
  return /-----BEGIN [^-]*-----/.test(atob(base64.replaceAll(/[\r\n]/g, '')));
}
