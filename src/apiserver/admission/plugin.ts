/** What an admission plugin is asked and may answer (upstream: apiserver/pkg/admission). */
import { type ApiObject, type ApiError, forbidden } from '#machinery';
import type { UserInfo } from '../http/message.ts';
import type { Core } from '../options.ts';
import type { Scope } from '../catalog.ts';

/** A write that is about to happen. Objects are in the storage version of their kind. */
export interface AdmissionRequest {
  readonly operation: 'create' | 'update' | 'delete';
  readonly scope: Scope;
  readonly subresource: string;
  readonly namespace: string;
  /** "" while a name is still to be generated. */
  readonly name: string;
  readonly user: UserInfo;
  /** Absent from deletions. */
  readonly object?: ApiObject | undefined;
  /** Absent from creations. */
  readonly old?: ApiObject | undefined;
  readonly dryRun: boolean;
  /** Collects texts for Warning headers. */
  readonly warnings: string[];
}

/** A write that carries an object. */
export type AdmissionOfObject = AdmissionRequest & { readonly object: ApiObject };

/** A part of the admission chain. Both functions refuse by throwing an ApiError. */
export interface AdmissionPlugin {
  /** Upstream's name, as the flags spell it. */
  readonly name: string;
  /** Changes the object before the kind's strategy sees it: the object to go on with. */
  readonly admit?: ((core: Core, request: AdmissionOfObject) => Promise<ApiObject> | ApiObject) | undefined;
  /** Looks at what is going to be written, or deleted, after validation. */
  readonly validate?: ((core: Core, request: AdmissionRequest) => Promise<void> | void) | undefined;
}

/** 403 of a plugin, about the object of the request. */
export function refused({ scope, name, object }: AdmissionRequest, why: string): ApiError {
  return forbidden(scope.groupResource, name === '' ? (object?.metadata.generateName ?? '') : name, why);
}

/** Whether the request writes the resource itself, no subresource of it. */
export function isAbout({ scope, subresource }: AdmissionRequest, group: string, plural: string): boolean {
  return subresource === '' && scope.kind.group === group && scope.kind.plural === plural;
}
