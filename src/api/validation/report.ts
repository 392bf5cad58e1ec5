/** Collects field errors in the kinds' form, with machinery's texts. */
import {
  duplicateField,
  type FieldError as MachineryError,
  fieldErrorBody,
  forbiddenField,
  internalField,
  invalidField,
  notFoundField,
  notSupportedField,
  requiredField,
  tooLongField,
  tooManyField,
} from '#machinery';
import type { FieldError } from '../kind.ts';

/** Characters of all errors of one object that are told: some name all that they choose from, so that a body of some megabytes could make gigabytes of them. */
const ERRORS_LENGTH_MAX = 1024 * 1024;

/** The errors found so far, in the order in which they were found. */
export class FieldErrors {
  readonly list: FieldError[] = [];
  #length = 0;

  /** Further errors are not told. */
  get full(): boolean {
    return this.#length > ERRORS_LENGTH_MAX;
  }

  /** A value that must be there is missing. */
  required(path: string, detail = ''): void {
    this.#add(requiredField(path, detail));
  }

  /** The value breaks a rule. */
  invalid(path: string, value: unknown, detail: string): void {
    this.#add(invalidField(path, value, detail));
  }

  /** The value, too large to be shown, breaks a rule. */
  invalidWhole(path: string, detail: string): void {
    this.#add({ type: 'FieldValueInvalid', field: path, detail });
  }

  /** The value breaks several rules, one error each. */
  invalidAll(path: string, value: unknown, details: readonly string[]): void {
    for (const detail of details) this.invalid(path, value, detail);
  }

  /** The value is none of `supported`. */
  notSupported(path: string, value: unknown, supported: readonly string[]): void {
    this.#add(notSupportedField(path, value, supported));
  }

  /** The value occurs a second time. */
  duplicate(path: string, value: unknown, detail = ''): void {
    this.#add(duplicateField(path, value, detail));
  }

  /** What is not allowed here. */
  forbidden(path: string, detail: string): void {
    this.#add(forbiddenField(path, detail));
  }

  /** What is referred to does not exist. */
  notFound(path: string, value: unknown, detail = ''): void {
    this.#add(notFoundField(path, value, detail));
  }

  /** More bytes than allowed. */
  tooLong(path: string, max: number): void {
    this.#add(tooLongField(path, max));
  }

  /** More items than allowed. */
  tooMany(path: string, actual: number, max: number): void {
    this.#add(tooManyField(path, actual, max));
  }

  /** The check itself failed. */
  internal(path: string, detail: string): void {
    this.#add(internalField(path, detail));
  }

  #add(error: MachineryError): void {
    if (this.full) return;
    const message = fieldErrorBody(error);
    this.#length += error.field.length + message.length;
    this.list.push({ path: error.field, reason: error.type, message });
  }
}

/** How a list is checked. */
export interface ListRules<T> {
  readonly max?: number;
  /** Items of one key are duplicates. */
  readonly key?: (item: T) => string;
  readonly item: (item: T, path: string) => void;
}

/** Upstream's list rule: too many items is the only error; otherwise every item is checked, then repeated keys. */
export function checkList<T>(errors: FieldErrors, path: string, items: readonly T[] | undefined, rules: ListRules<T>): void {
  const list = items ?? [];
  if (rules.max !== undefined && list.length > rules.max) return errors.tooMany(path, list.length, rules.max);
  list.forEach((item, index) => rules.item(item, `${path}[${index}]`));
  if (rules.key !== undefined) checkUnique(errors, path, list.map(rules.key));
}

/** Reports each repetition of a key at its index. */
export function checkUnique(errors: FieldErrors, path: string, keys: readonly string[]): void {
  const seen = new Set<string>();
  keys.forEach((key, index) => {
    if (seen.has(key)) errors.duplicate(`${path}[${index}]`, key);
    seen.add(key);
  });
}

/** Length in UTF-8, as upstream counts. */
export function byteLength(text: string): number {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return encoder.encode(text).length;
  return text.length;
}

const encoder = new TextEncoder();
