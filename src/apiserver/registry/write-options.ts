/** The query of creations, updates and patches: read, and checked as upstream's ValidateCreateOptions and its like do. */
import { FieldErrors } from '#api';
import { invalidOptions } from '../refusals.ts';
import type { Call } from './call.ts';

/** What to do with fields that the schema does not know. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** Upstream: FieldManagerMaxLength of apimachinery/pkg/apis/meta/v1/validation, in bytes. */
const FIELD_MANAGER_MAX_LENGTH = 128;
/** All of which Go's unicode.IsPrint takes. */
const PRINTABLE_ASCII = /^[ -~]*$/;
/** What it does not take. */
const NOT_PRINTABLE = /[^\P{C}]|[^\P{Z} ]/u;

/** Who writes, as managedFields names it: the fieldManager, or the start of the user agent (upstream: managerOrUserAgent). */
export function fieldManagerOf({ info, request }: Call): string {
  const manager = info.query.get('fieldManager') ?? '';
  if (manager !== '') return manager;
  const agent = (request.headers['user-agent'] ?? '').split('/')[0] ?? '';
  if (agent.length <= FIELD_MANAGER_MAX_LENGTH && PRINTABLE_ASCII.test(agent)) return agent;
  return [...agent]
    .filter((character) => !NOT_PRINTABLE.test(character))
    .slice(0, FIELD_MANAGER_MAX_LENGTH)
    .join('');
}

/** The fieldValidation of a write; the default is Warn. */
export function fieldValidationOf({ info }: Call): FieldValidation {
  const value = info.query.get('fieldValidation');
  return value === 'Strict' || value === 'Ignore' ? value : 'Warn';
}

const OPTIONS_KINDS: Readonly<Record<string, string>> = { create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions' };

/** Whether the options of a write are those of a dry run; 422 for what they cannot be. `applies`: the write is a server-side apply. */
export function isDryRun(verb: string, query: URLSearchParams, applies: boolean): boolean {
  const kind = OPTIONS_KINDS[verb];
  // Most requests have none, and other verbs have others.
  if (kind === undefined || (query.size === 0 && !applies)) return false;
  const errors = new FieldErrors();
  const manager = query.get('fieldManager') ?? '';
  if (applies && manager === '') errors.required('fieldManager', 'is required for apply patch');
  if (verb === 'patch' && !applies && query.has('force')) errors.forbidden('force', 'may not be specified for non-apply patch');
  checkFieldManager(manager, errors);
  const dryRun = query.getAll('dryRun');
  checkDryRun(dryRun, errors);
  const validation = query.get('fieldValidation') ?? '';
  if (!FIELD_VALIDATIONS.includes(validation)) errors.notSupported('fieldValidation', validation, FIELD_VALIDATIONS);
  if (errors.list.length > 0) throw invalidOptions(kind, errors.list);
  return dryRun.length > 0;
}

const FIELD_VALIDATIONS: readonly string[] = ['', 'Ignore', 'Strict', 'Warn'];

/** Upstream: ValidateFieldManager. */
function checkFieldManager(manager: string, errors: FieldErrors): void {
  const encoder = new TextEncoder();
  if (encoder.encode(manager).length > FIELD_MANAGER_MAX_LENGTH) {
    errors.tooLong('fieldManager', FIELD_MANAGER_MAX_LENGTH);
  }
  const match = NOT_PRINTABLE.exec(manager);
  if (match === null) return;
  const code = (manager.codePointAt(match.index) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const position = encoder.encode(manager.slice(0, match.index)).length;
  errors.invalid('fieldManager', manager, `invalid character U+${code} (at position ${String(position)})`);
}

/** Upstream: ValidateDryRun; only All is allowed. */
export function checkDryRun(values: readonly string[], errors: FieldErrors): void {
  if (values.every((value) => value === 'All')) return;
  errors.notSupported('dryRun', values, ['All']);
}
