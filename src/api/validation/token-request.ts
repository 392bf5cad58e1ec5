/** Validation of TokenRequest (upstream: pkg/apis/authentication/validation). */
import type { ApiObject } from '#machinery';
import type { FieldError } from '../kind.ts';
import type { TokenRequest } from '../types/authentication-v1.ts';
import { FieldErrors } from './report.ts';

/** Upstream: MinTokenAgeSec. */
const MIN_TOKEN_AGE_SEC = 10 * 60;
const MAX_TOKEN_AGE_SEC = 2 ** 32;

/** How long the token may last. */
export function validateTokenRequest(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { expirationSeconds = 0 } = (object as TokenRequest).spec ?? {};
  const path = 'spec.expirationSeconds';
  if (expirationSeconds < MIN_TOKEN_AGE_SEC) errors.invalid(path, expirationSeconds, 'may not specify a duration less than 10 minutes');
  if (expirationSeconds > MAX_TOKEN_AGE_SEC) errors.invalid(path, expirationSeconds, 'may not specify a duration larger than 2^32 seconds');
  return errors.list;
}
