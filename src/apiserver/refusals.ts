/** Refusals that only the API server makes, as Status with upstream's texts. */
import type { FieldError } from '#api';
import type { Scope } from './catalog.ts';
import { ApiError, type Status, type StatusCause } from '#machinery';

type Details = NonNullable<Status['details']>;

/** An ApiError from its parts; `reason` "" leaves the reason out. */
export function refusal(code: number, reason: string, message: string, details?: Details): ApiError {
  const head: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message };
  return new ApiError({ ...head, ...(reason === '' ? {} : { reason }), ...(details === undefined ? {} : { details }), code });
}

/** 404 of a path below a served group that names nothing. */
export function unknownResource(): ApiError {
  return refusal(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** The kind that a refusal of an object names: that under which objects of its path are stored. */
export function storedKind({ gvk, kind }: Pick<Scope, 'gvk' | 'kind'>): { readonly group: string; readonly kind: string } {
  return { group: kind.storedAs?.group ?? gvk.group, kind: gvk.kind };
}

/** 422 of an object that failed validation; equal messages are named once. */
export function invalidObject(kind: { readonly group: string; readonly kind: string }, name: string, errors: readonly FieldError[]): ApiError {
  const causes: StatusCause[] = errors.map(({ path, reason, message }) => ({ reason, message, field: path }));
  const texts = [...new Set(errors.map(({ path, message }) => `${path}: ${message}`))];
  const list = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  const qualified = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const details: Details = {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    ...(kind.kind === '' ? {} : { kind: kind.kind }),
    causes,
  };
  return refusal(422, 'Invalid', `${qualified} ${JSON.stringify(name)} is invalid: ${list}`, details);
}

/** 422 of request options (of CreateOptions, ListOptions …). */
export function invalidOptions(kind: string, errors: readonly FieldError[]): ApiError {
  return invalidObject({ group: 'meta.k8s.io', kind }, '', errors);
}

/** 504 of a resourceVersion that is not reached yet (storage.NewTooLargeResourceVersionError). */
export function tooLargeResourceVersion(wanted: number | bigint, current: number): ApiError {
  const causes: StatusCause[] = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  const message = `Timeout: Too large resource version: ${String(wanted)}, current: ${String(current)}`;
  return refusal(504, 'Timeout', message, { causes, retryAfterSeconds: 1 });
}

/** 410 of a watch or list that starts before what is remembered. */
export function tooOldResourceVersion(wanted: number, oldest: number): ApiError {
  return refusal(410, 'Expired', `too old resource version: ${String(wanted)} (${String(oldest)})`);
}
