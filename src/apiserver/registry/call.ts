/** One authenticated request on a resource, with its options read and checked. */
import type { StrategyContext } from '#api';
import type { ApiObject } from '#machinery';
import type { AdmissionOfObject, AdmissionRequest } from '../admission/plugin.ts';
import type { Scope } from '../catalog.ts';
import type { ServerRequest, UserInfo } from '../http/message.ts';
import type { RequestInfo, ResourceTarget } from '../http/request-info.ts';
import { type Core, timestamp } from '../options.ts';

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
