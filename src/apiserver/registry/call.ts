/** One authenticated request on a resource, with its options read and checked. */
import type { StrategyContext } from '#api';
import { type ApiObject, goQuote } from '#machinery';
import type { AdmissionOfObject, AdmissionRequest } from '../admission/plugin.ts';
import type { Scope } from '../catalog.ts';
import type { ServerRequest, UserInfo } from '../http/message.ts';
import type { RequestInfo, ResourceTarget } from '../http/request-info.ts';
import { type Core, timestamp } from '../options.ts';
import { invalidOption } from '../refusals.ts';

/** What handlers are given. */
export interface Call {
  readonly request: ServerRequest;
  readonly info: RequestInfo;
  readonly target: ResourceTarget;
  readonly scope: Scope;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** Collects texts for Warning headers. */
  readonly warnings: string[];
  /** Collects the paths of atomic lists that the request wrote with quantities in another form than they are stored in. */
  readonly rewritten: string[];
}

/** What to do with fields that the schema does not know. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** Who writes, as managedFields names it: the fieldManager, or the start of the user agent (upstream: managerOrUserAgent). */
export function fieldManagerOf(call: Call): string {
  const manager = call.info.query.get('fieldManager');
  if (manager !== null && manager !== '') {
    checkFieldManager(call, manager);
    return manager;
  }
  const agent = call.request.headers['user-agent'] ?? '';
  return agent.split('/')[0]?.slice(0, FIELD_MANAGER_MAX_LENGTH) ?? '';
}

/** Upstream: ValidateFieldManager. */
function checkFieldManager(call: Call, manager: string): void {
  const refuse = (reason: string, message: string): Error => invalidOption(optionsKind(call.target.verb), { path: 'fieldManager', reason, message });
  if (manager.length > FIELD_MANAGER_MAX_LENGTH) throw refuse('FieldValueTooLong', `Too long: may not be more than ${String(FIELD_MANAGER_MAX_LENGTH)} bytes`);
  const at = [...manager].findIndex((character) => /\p{C}/u.test(character));
  if (at < 0) return;
  const code = (manager.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  throw refuse('FieldValueInvalid', `Invalid value: ${goQuote(manager)}: invalid character U+${code} (at position ${String(at)})`);
}

/** Upstream: FieldManagerMaxLength of apimachinery/pkg/apis/meta/v1/validation. */
const FIELD_MANAGER_MAX_LENGTH = 128;

/** The fieldValidation of a write; the default is Warn. */
export function fieldValidationOf(call: Call): FieldValidation {
  const value = call.info.query.get('fieldValidation') ?? '';
  if (value === '' || value === 'Warn') return 'Warn';
  if (value === 'Strict' || value === 'Ignore') return value;
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: "", "Ignore", "Strict", "Warn"`;
  throw invalidOption(optionsKind(call.target.verb), { path: 'fieldValidation', reason: 'FieldValueNotSupported', message });
}

/** Whether the values of dryRun ask for one; only All is allowed. */
export function parseDryRun(verb: string, values: readonly string[]): boolean {
  if (values.every((value) => value === 'All')) return values.length > 0;
  const message = `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`;
  throw invalidOption(optionsKind(verb), { path: 'dryRun', reason: 'FieldValueNotSupported', message });
}

const OPTIONS_KINDS: Readonly<Record<string, string>> = { create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions' };

function optionsKind(verb: string): string {
  return OPTIONS_KINDS[verb] ?? 'DeleteOptions';
}

/** What admission is told of a write: a creation has no `old`. */
export function admissionRequest(call: Call, object: ApiObject, old?: ApiObject): AdmissionOfObject {
  const { scope, target, user, dryRun, warnings } = call;
  const { name = '' } = object.metadata;
  const operation = old === undefined ? 'create' : 'update';
  return { operation, scope, subresource: target.subresource, namespace: target.namespace, name, user, object, old, dryRun, warnings };
}

/** What admission is told of a deletion. */
export function deletionRequest(call: Call, old: ApiObject): AdmissionRequest {
  const { scope, target, user, dryRun, warnings } = call;
  const { name = '', namespace = '' } = old.metadata;
  return { operation: 'delete', scope, subresource: target.subresource, namespace, name, user, old, dryRun, warnings };
}

/** What the kind's functions may look at. */
export function strategyContext(core: Core, call: Call): StrategyContext {
  const { options } = core;
  return {
    gates: options.gates,
    subresource: call.target.subresource,
    now: timestamp(options.clock.nowMs()),
    checkSelector: (expression, stored) => options.celCheck(expression, stored, options.gates),
    allowPrivileged: options.allowPrivileged,
  };
}
