/** The metadata that every Kubernetes object carries (apimachinery meta/v1). */

/** A JSON value; an integer beyond 2^53 is a bigint (spec: integers are int64 on the wire). */
export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** An int64 as the codec hands it over: a number where that is exact, otherwise a bigint. */
export type Int64 = number | bigint;

/** The version and kind an object names itself by. */
export interface TypeMeta {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
}

/** A reference to the object that this one belongs to; garbage collection follows it. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean | undefined;
  readonly blockOwnerDeletion?: boolean | undefined;
}

/** What one field manager set, for server-side apply. */
export interface ManagedFieldsEntry {
  readonly manager?: string | undefined;
  readonly operation?: string | undefined;
  readonly apiVersion?: string | undefined;
  readonly time?: string | undefined;
  readonly fieldsType?: string | undefined;
  readonly fieldsV1?: Json | undefined;
  readonly subresource?: string | undefined;
}

/** metadata of an object. Times are RFC 3339 in UTC with whole seconds. */
export interface ObjectMeta {
  readonly name?: string | undefined;
  readonly generateName?: string | undefined;
  readonly namespace?: string | undefined;
  readonly selfLink?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
  readonly creationTimestamp?: string | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly deletionGracePeriodSeconds?: number | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly ownerReferences?: readonly OwnerReference[] | undefined;
  readonly finalizers?: readonly string[] | undefined;
  readonly managedFields?: readonly ManagedFieldsEntry[] | undefined;
}

/** metadata of a list. */
export interface ListMeta {
  readonly resourceVersion?: string | undefined;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
  readonly selfLink?: string | undefined;
}

/** Any object of the API, known only by its metadata. */
export interface ApiObject extends TypeMeta {
  readonly metadata: ObjectMeta;
}

/** A list of objects as the API returns it. */
export interface ApiList<T extends ApiObject = ApiObject> extends TypeMeta {
  readonly metadata: ListMeta;
  readonly items: readonly T[];
}

/** One observed condition of an object (meta/v1 Condition). */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly observedGeneration?: number | undefined;
  readonly lastTransitionTime?: string | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

/** A query over labels; an empty selector matches everything, an absent one nothing. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly LabelSelectorRequirement[] | undefined;
}

/** One requirement of a label selector: In, NotIn, Exists or DoesNotExist. */
export interface LabelSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | undefined;
}

/** One cause of a Status of reason Invalid: the field, a machine-readable reason and a text. */
export interface StatusCause {
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly field?: string | undefined;
}

/** The answer of the API server to a request that returns no object, above all to a refused one. */
export interface Status extends TypeMeta {
  readonly metadata?: ListMeta | undefined;
  readonly status?: 'Success' | 'Failure' | undefined;
  readonly message?: string | undefined;
  readonly reason?: string | undefined;
  readonly details?: {
    readonly name?: string | undefined;
    readonly group?: string | undefined;
    readonly kind?: string | undefined;
    readonly uid?: string | undefined;
    readonly causes?: readonly StatusCause[] | undefined;
    readonly retryAfterSeconds?: number | undefined;
  };
  readonly code?: number | undefined;
}

/** Options of a DELETE, in its body or query. */
export interface DeleteOptions extends TypeMeta {
  readonly gracePeriodSeconds?: number | undefined;
  readonly preconditions?: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined } | undefined;
  readonly orphanDependents?: boolean | undefined;
  readonly propagationPolicy?: string | undefined;
  readonly dryRun?: readonly string[] | undefined;
}

/** Which kind of object: group ("" for core), version and kind. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Where objects live in the API: group ("" for core), version and plural. */
export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** group/version as written in apiVersion. */
export function apiVersionOf(gv: { readonly group: string; readonly version: string }): string {
  return gv.group === '' ? gv.version : `${gv.group}/${gv.version}`;
}

/** Splits an apiVersion into group and version; core has the group "". */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** metadata.name, "" while the object has none yet (generateName). */
export function nameOf(object: ApiObject): string {
  return object.metadata.name ?? '';
}

/** metadata.namespace, "" for cluster-scoped objects. */
export function namespaceOf(object: ApiObject): string {
  return object.metadata.namespace ?? '';
}

/** namespace/name, or the bare name of a cluster-scoped object: the key of caches and queues. */
export function keyOf(object: ApiObject): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined || namespace === '' ? (name ?? '') : `${namespace}/${name ?? ''}`;
}
