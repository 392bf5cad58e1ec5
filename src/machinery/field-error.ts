/** One validation error at one field, with upstream's texts (apimachinery util/validation/field/errors.go). */
import { aggregateText, goJson, goQuote } from './go-text.ts';

/** The kinds of field errors, spelled as the causes of a Status spell them. */
export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError'
  | 'FieldValueTypeInvalid';

/** What is wrong with the value at `field`. */
export interface FieldError {
  readonly type: FieldErrorType;
  /** Path of the field, such as `spec.devices.requests[0].name`. */
  readonly field: string;
  readonly badValue?: unknown;
  readonly detail: string;
}

const TITLES: Readonly<Record<FieldErrorType, string>> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  InternalError: 'Internal error',
  FieldValueTypeInvalid: 'Invalid value',
};

/** Types whose message leaves the value out. */
const VALUELESS: ReadonlySet<FieldErrorType> = new Set<FieldErrorType>(['FieldValueRequired', 'FieldValueForbidden', 'FieldValueTooLong', 'InternalError']);

/** A value that must be there is missing. */
export function requiredField(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, detail };
}

/** The value breaks a rule. */
export function invalidField(field: string, badValue: unknown, detail = ''): FieldError {
  return { type: 'FieldValueInvalid', field, badValue, detail };
}

/** The value has the wrong type. */
export function typeInvalidField(field: string, badValue: unknown, detail = ''): FieldError {
  return { type: 'FieldValueTypeInvalid', field, badValue, detail };
}

/** The value is not among those that are allowed, which are listed in the given order. */
export function notSupportedField(field: string, badValue: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length === 0 ? '' : `supported values: ${supported.map(goQuote).join(', ')}`;
  return { type: 'FieldValueNotSupported', field, badValue, detail };
}

/** The value occurs twice where it may occur once. */
export function duplicateField(field: string, badValue: unknown, detail = ''): FieldError {
  return { type: 'FieldValueDuplicate', field, badValue, detail };
}

/** The field may not be set here. */
export function forbiddenField(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, detail };
}

/** What the value refers to does not exist. */
export function notFoundField(field: string, badValue: unknown, detail = ''): FieldError {
  return { type: 'FieldValueNotFound', field, badValue, detail };
}

/** A text of more than `maxBytes` bytes; a negative limit is not named. */
export function tooLongField(field: string, maxBytes: number): FieldError {
  const detail = maxBytes < 0 ? 'value is too long' : `may not be more than ${maxBytes} ${maxBytes === 1 ? 'byte' : 'bytes'}`;
  return { type: 'FieldValueTooLong', field, detail };
}

/** A list or map of `actual` entries where `max` are allowed; a negative limit is not named. */
export function tooManyField(field: string, actual: number, max: number): FieldError {
  const detail = max < 0 ? 'has too many items' : `must have at most ${max} ${max === 1 ? 'item' : 'items'}`;
  return { type: 'FieldValueTooMany', field, badValue: actual, detail };
}

/** The check itself failed. */
export function internalField(field: string, detail: string): FieldError {
  return { type: 'InternalError', field, detail };
}

/** The message without the path: `Invalid value: "x": detail`. */
export function fieldErrorBody(error: FieldError): string {
  const title = TITLES[error.type];
  const head = VALUELESS.has(error.type) || !('badValue' in error) ? title : `${title}: ${badValueText(error.badValue)}`;
  return error.detail === '' ? head : `${head}: ${error.detail}`;
}

/** The whole message: `spec.name: Invalid value: "x": detail`. */
export function fieldErrorText(error: FieldError): string {
  return `${error.field === '' ? '<nil>' : error.field}: ${fieldErrorBody(error)}`;
}

/** Several field errors as one text, upstream's ErrorList.ToAggregate(). */
export function fieldErrorsText(errors: readonly FieldError[]): string {
  return aggregateText(errors.map(fieldErrorText));
}

function badValueText(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return goJson(value);
}
