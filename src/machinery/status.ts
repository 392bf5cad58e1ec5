/** ApiError: the one operational error, carrying the Kubernetes Status of a refusal with upstream's texts. */
import { type FieldError, fieldErrorBody, fieldErrorsText } from './field-error.ts';
import { goQuote } from './go-text.ts';
import type { Status, StatusCause } from './meta.ts';

/** A resource named in a message: `pods`, or `resourceclaims.resource.k8s.io`. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** A kind named in a message: `Pod`, or `ResourceClaim.resource.k8s.io`. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

type StatusDetails = NonNullable<Status['details']>;

/** A request that was refused. `status` is what travels; the message of the Error is the Status' message. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: Status;

  constructor(status: Status) {
    super(status.message ?? '');
    this.status = status;
  }

  /** The HTTP status code; 500 when the Status names none. */
  get code(): number {
    return this.status.code ?? 500;
  }

  /** The machine-readable reason, "" when upstream gives none. */
  get reason(): string {
    return this.status.reason ?? '';
  }
}

/** The resource as messages name it: the plural, with the group after a dot unless it is core. */
export function groupResourceText(resource: GroupResource): string {
  return resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`;
}

/** The kind as messages name it: the kind, with the group after a dot unless it is core. */
export function groupKindText(kind: GroupKind): string {
  return kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
}

/** An ApiError from its parts; `reason` "" leaves the reason out, as upstream does for plain Go errors (500). */
export function statusError(code: number, reason: string, message: string, details?: StatusDetails): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  });
}

/** Wraps a Status that came over the wire. */
export function errorFromStatus(status: Status): ApiError {
  return new ApiError(status);
}

function detailsOf(name: string, group: string, kind: string, causes: readonly StatusCause[] = []): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    ...(kind === '' ? {} : { kind }),
    ...(causes.length === 0 ? {} : { causes }),
  };
}

function resourceDetails(resource: GroupResource, name: string): StatusDetails {
  return detailsOf(name, resource.group, resource.resource);
}

/** 404: no object of that name. */
export function notFound(resource: GroupResource, name: string): ApiError {
  const message = `${groupResourceText(resource)} ${goQuote(name)} not found`;
  return statusError(404, 'NotFound', message, resourceDetails(resource, name));
}

/** 404 for a path that is not served at all. */
export function notServed(): ApiError {
  return statusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** 409: an object of that name exists. */
export function alreadyExists(resource: GroupResource, name: string): ApiError {
  const message = `${groupResourceText(resource)} ${goQuote(name)} already exists`;
  return statusError(409, 'AlreadyExists', message, resourceDetails(resource, name));
}

/** The text of an optimistic lock that failed (registry.OptimisticLockErrorMsg). */
export const OPTIMISTIC_LOCK_ERROR_MSG = 'the object has been modified; please apply your changes to the latest version and try again';

/** 409: the object is not in the state that the request presumes. */
export function conflict(resource: GroupResource, name: string, why: string = OPTIMISTIC_LOCK_ERROR_MSG): ApiError {
  const message = `Operation cannot be fulfilled on ${groupResourceText(resource)} ${goQuote(name)}: ${why}`;
  return statusError(409, 'Conflict', message, resourceDetails(resource, name));
}

/** 409 of server-side apply: other managers own fields that differ. */
export function applyConflict(causes: readonly StatusCause[], message: string): ApiError {
  return statusError(409, 'Conflict', message, { causes });
}

/** 422: the object is invalid; each field error becomes a cause. */
export function invalid(kind: GroupKind, name: string, errors: readonly FieldError[]): ApiError {
  const causes = errors.map((error) => ({ reason: error.type, message: fieldErrorBody(error), field: error.field }));
  const head = `${groupKindText(kind)} ${goQuote(name)} is invalid`;
  const message = errors.length === 0 ? head : `${head}: ${fieldErrorsText(errors)}`;
  return statusError(422, 'Invalid', message, detailsOf(name, kind.group, kind.kind, causes));
}

/** 422 without causes: upstream's answer to a JSON patch that does not fit (NewGenericServerResponse). */
export function unprocessable(): ApiError {
  return statusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

/** 400: the request cannot be understood. */
export function badRequest(message: string): ApiError {
  return statusError(400, 'BadRequest', message);
}

/** 401: who asks is not known. */
export function unauthorized(message = 'Unauthorized'): ApiError {
  return statusError(401, 'Unauthorized', message);
}

/** 403: who asks may not. An empty resource is a path outside the API's resources. */
export function forbidden(resource: GroupResource, name: string, why: string): ApiError {
  const text = groupResourceText(resource);
  const subject = resource.resource === '' ? 'forbidden' : name === '' ? `${text} is forbidden` : `${text} ${goQuote(name)} is forbidden`;
  return statusError(403, 'Forbidden', `${subject}: ${why}`, resourceDetails(resource, name));
}

/** 410: the history asked for is gone; start again with a list. */
export function expired(message: string): ApiError {
  return statusError(410, 'Expired', message);
}

/** 405: the resource knows no such verb. */
export function methodNotAllowed(): ApiError {
  return statusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** 405 for a verb that the kind's storage refuses, naming both. */
export function methodNotSupported(resource: GroupResource, action: string): ApiError {
  const message = `${action} is not supported on resources of kind ${goQuote(groupResourceText(resource))}`;
  return statusError(405, 'MethodNotAllowed', message, resourceDetails(resource, ''));
}

/** 406: none of the accepted representations is offered. */
export function notAcceptable(message: string): ApiError {
  return statusError(406, 'NotAcceptable', message);
}

/** 413: the body or the patch is over the limit. */
export function requestEntityTooLarge(message: string): ApiError {
  return statusError(413, 'RequestEntityTooLarge', `Request entity too large: ${message}`);
}

/** 415: the body's media type is not understood; without a message as upstream answers a PATCH. */
export function unsupportedMediaType(message?: string): ApiError {
  if (message !== undefined) return statusError(415, 'UnsupportedMediaType', message);
  return statusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

/** 429: come back after `retryAfterSeconds`. */
export function tooManyRequests(message: string, retryAfterSeconds: number): ApiError {
  return statusError(429, 'TooManyRequests', message, retryAfterSeconds > 0 ? { retryAfterSeconds } : {});
}

/** 500: a defect or a broken surrounding. */
export function internalError(why: string): ApiError {
  return statusError(500, 'InternalError', `Internal error occurred: ${why}`, { causes: [{ message: why }] });
}

/** 503: not now. */
export function serviceUnavailable(message: string): ApiError {
  return statusError(503, 'ServiceUnavailable', message);
}

/** 504: the operation did not end in time; `causes` may say what it waited for. */
export function timeout(message: string, retryAfterSeconds: number, causes: readonly StatusCause[] = []): ApiError {
  return statusError(504, 'Timeout', `Timeout: ${message}`, {
    ...(causes.length === 0 ? {} : { causes }),
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });
}

function hasReason(error: unknown, reason: string, code: number): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.reason === reason || (error.reason === '' && error.status.code === code);
}

/** True for an ApiError that says the object does not exist. */
export function isNotFound(error: unknown): boolean {
  return hasReason(error, 'NotFound', 404);
}

/** True for an ApiError that says the object exists. */
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.reason === 'AlreadyExists';
}

/** True for an ApiError that says the object has changed meanwhile (or that apply met another owner). */
export function isConflict(error: unknown): boolean {
  return hasReason(error, 'Conflict', 409);
}

/** True for an ApiError that says the history is gone (Expired, or the older Gone). */
export function isExpired(error: unknown): boolean {
  return hasReason(error, 'Expired', 410) || hasReason(error, 'Gone', 410);
}

/** True for an ApiError that says the asked-for revision lies ahead of the server: it started anew, or from an older copy of its store. */
export function isTooLargeResourceVersion(error: unknown): boolean {
  return hasCause(error, 'ResourceVersionTooLarge');
}

/** True for an ApiError that says the object's namespace is on its way out. */
export function isNamespaceTerminating(error: unknown): boolean {
  return hasCause(error, 'NamespaceTerminating');
}

function hasCause(error: unknown, reason: string): boolean {
  return error instanceof ApiError && error.status.details?.causes?.some((cause) => cause.reason === reason) === true;
}

/** True for an ApiError that says the object is invalid. */
export function isInvalid(error: unknown): boolean {
  return hasReason(error, 'Invalid', 422);
}

/** True for an ApiError that says who asks may not. */
export function isForbidden(error: unknown): boolean {
  return hasReason(error, 'Forbidden', 403);
}
