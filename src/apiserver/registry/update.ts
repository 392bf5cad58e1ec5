/** PUT, and the second half of PATCH: from the wanted object to the stored one. */
import { type Namespace, type StrategyContext, validateObjectMetaUpdate } from '#api';
import { type ApiObject, type ManagedFieldsEntry, badRequest, conflict, forbidden, notFound } from '#machinery';
import { type AuthorizationAttributes, refusalText } from '../authorization/attributes.ts';
import { claimStatusErrors } from '../authorization/claim-status.ts';
import { checkGrants } from '../authorization/grants.ts';
import { invalidObject, refusal, storedKind } from '../refusals.ts';
import type { Core } from '../options.ts';
import { adminAccessErrors } from './admin-access.ts';
import { type Call, admissionRequest, strategyContext } from './call.ts';
import { fieldValidationOf } from './write-options.ts';
import { createObject, withRequestNamespace } from './create.ts';
import { decodeObject } from './decode.ts';
import { isFinished, removeFinished } from './finish.ts';
import { type Lens, shownCall, through } from './lens.ts';
import { equalParts, ownership } from './managed.ts';
import { StoredObject, toStorage, withMetadata } from './object-store.ts';

/** Writes that lost a race against another without asking for a resourceVersion are tried again; upstream's patch: 5. */
const UPDATE_ATTEMPTS = 10;

/** The outcome of an update: the stored object, and whether it was created by it. */
export interface UpdateResult {
  readonly stored: StoredObject;
  readonly created: boolean;
}

/** What a request makes of an object. */
export interface Wanted {
  readonly wanted: ApiObject;
  /** Carries the managed fields when the transformation itself computed them (apply). */
  readonly managed?: ApiObject | undefined;
}

/** How to get from the live object (in the scope's version; undefined: absent) to the wanted one. */
export interface Transformation {
  (live: ApiObject | undefined): Wanted;
}

/** Replaces the object, as `lens` shows it, by the body. */
export async function update(core: Core, call: Call, lens?: Lens): Promise<UpdateResult> {
  const shown = shownCall(call, lens);
  const wanted = withRequestNamespace(shown, await decodeObject(shown, fieldValidationOf(call)));
  checkName(call, wanted);
  const transform = through(lens, () => ({ wanted }));
  return updateWith(core, call, transform, call.scope.kind.createOnUpdate);
}

/** 400 unless the object has the name that the path says. */
export function checkName(call: Call, wanted: ApiObject): void {
  const { name } = wanted.metadata;
  const { name: expected } = call.target;
  if (name === undefined) throw badRequest(`the name of the object (${expected} based on URL) was undeterminable: name must be provided`);
  if (name !== expected) throw badRequest(`the name of the object (${name}) does not match the name on the URL (${expected})`);
}

/** Applies `transform` to the live object and stores the result, again if another write came between. */
export async function updateWith(core: Core, call: Call, transform: Transformation, createIfAbsent: boolean): Promise<UpdateResult> {
  const { scope, target } = call;
  for (let attempt = 1; attempt <= UPDATE_ATTEMPTS; attempt++) {
    const live = await core.objects.get(scope, target.namespace, target.name);
    if (live === undefined) {
      if (!createIfAbsent || target.subresource !== '') throw notFound(scope.groupResource, target.name);
      await checkMayCreate(core, call);
      const { wanted, managed } = transform(undefined);
      return { stored: await createObject(core, call, wanted, managed), created: true };
    }
    const { wanted, managed } = transform(live.in(scope));
    checkPreconditions(call, live.object, wanted);
    const object = await prepare(core, call, { live: live.object, wanted, managed });
    await core.admission.validate(core, admissionRequest(call, object, live.object));
    const stored = await write(core, call, live, object);
    if (stored !== undefined) return { stored, created: false };
    if ((wanted.metadata.resourceVersion ?? '') !== '' && wanted.metadata.resourceVersion !== live.object.metadata.resourceVersion) break;
  }
  throw conflict(scope.groupResource, target.name);
}

/** Who makes an object by PUT or apply must be allowed to create it, too (upstream: withAuthorization of the update and patch handlers). */
async function checkMayCreate(core: Core, { user, target, scope }: Call): Promise<void> {
  const { group, plural: resource, subresource, namespace, name } = target;
  const attributes: AuthorizationAttributes = { user, verb: 'create', group, resource, subresource, namespace, name };
  const { allowed, reason } = await core.authorizer.authorize(attributes);
  if (!allowed) throw forbidden(scope.groupResource, name, refusalText(attributes, reason));
}

async function write(core: Core, call: Call, live: StoredObject, object: ApiObject): Promise<StoredObject | undefined> {
  if (isFinished(live.object, object)) return removeFinished(core, call, live, object);
  if (equalParts(timeless(live.object), timeless(object))) return live;
  if (call.dryRun) return new StoredObject(object, live.revision);
  return core.objects.put(call.scope, object, live.revision);
}

/** Without the times of managedFields, and the order that follows from them: they alone are no change (fieldmanager IgnoreManagedFieldsTimestampsTransformer). */
function timeless(object: ApiObject): ApiObject {
  const managedFields = object.metadata.managedFields?.map(({ time: _time, ...entry }) => entry);
  return managedFields === undefined ? object : withMetadata(object, { managedFields: managedFields.sort(byManager) });
}

function byManager(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  const identity = ({ manager, operation, apiVersion, subresource = '' }: ManagedFieldsEntry): string =>
    `${manager ?? ''}/${operation ?? ''}/${apiVersion ?? ''}/${subresource}`;
  return identity(a) < identity(b) ? -1 : 1;
}

/** 409 unless the resourceVersion, and the uid of a PUT, where the request names them are those of the live object. */
function checkPreconditions(call: Call, live: ApiObject, wanted: ApiObject): void {
  const { resourceVersion = '', uid = '' } = wanted.metadata;
  const { groupResource } = call.scope;
  if (call.target.verb === 'update' && uid !== '' && uid !== live.metadata.uid) {
    const { namespace, name } = call.target;
    const key = ['', groupResource.resource, ...(namespace === '' ? [] : [namespace]), name].join('/');
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid ?? ''}`;
    throw conflict(groupResource, name, `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`);
  }
  if (resourceVersion === '' || resourceVersion === '0') return checkUnconditional(call, live);
  if (!/^\d+$/.test(resourceVersion))
    throw refusal(
      400,
      'BadRequest',
      `resourceVersion: Invalid value: ${JSON.stringify(resourceVersion)}: strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`,
    );
  if (resourceVersion !== live.metadata.resourceVersion) throw conflict(groupResource, call.target.name);
}

/** Some kinds, in some versions, refuse a PUT that does not say what it was made from (upstream: AllowUnconditionalUpdate). */
function checkUnconditional({ scope: { version, groupResource }, target }: Call, live: ApiObject): void {
  if (version.unconditionalUpdate !== false || target.verb !== 'update') return;
  const path = 'metadata.resourceVersion';
  const error = { path, reason: 'FieldValueInvalid', message: 'Invalid value: 0: must be specified for an update' };
  // Upstream names the resource where it names the kind elsewhere.
  throw invalidObject({ group: groupResource.group, kind: groupResource.resource }, live.metadata.name ?? '', [error]);
}

interface Versions {
  /** In the storage version. */
  readonly live: ApiObject;
  /** In the scope's version. */
  readonly wanted: ApiObject;
  readonly managed: ApiObject | undefined;
}

/** Defaults, conversion, kept metadata, managed fields, strategy, validation and generation; the object to store. */
async function prepare(core: Core, call: Call, { live, wanted, managed }: Versions): Promise<ApiObject> {
  const { scope } = call;
  const { kind, version } = scope;
  const context = strategyContext(core, call);
  const defaulted = version.defaults === undefined ? wanted : version.defaults(wanted, context);
  const kept = keepMetadata(live, toStorage(scope, defaulted));
  // Ownership is that of what the request sets: before admission and strategy add and drop fields.
  const managedFields = managed === undefined ? ownership(core, call, live, kept) : managed.metadata.managedFields;
  const admitted = await core.admission.admit(core, admissionRequest(call, kept, live));
  await checkGrants(core, admissionRequest(call, admitted, live), call.target.name);
  const prepared = call.target.subresource === 'finalize' ? finalized(live, kept) : strategic(call, context, admitted, live);
  const errors = [
    ...(await claimStatusErrors(core, call, prepared, live)),
    ...(await adminAccessErrors(core, prepared, live)),
    ...validateObjectMetaUpdate(prepared, live, { kind, subresource: call.target.subresource }),
    ...(kind.validateUpdate?.(prepared, live, context) ?? []),
  ];
  if (errors.length > 0) throw invalidObject(storedKind(scope), live.metadata.name ?? '', errors);
  call.warnings.push(...(kind.warnings?.(prepared, context, live) ?? []));
  return withGeneration(live, withMetadata(prepared, { managedFields }), kind.generation);
}

function strategic({ scope: { kind } }: Call, context: StrategyContext, object: ApiObject, live: ApiObject): ApiObject {
  const prepared = kind.prepareForUpdate?.(object, live, context) ?? object;
  // A strategy may reset metadata, but never the uid that the writer meant: validation compares it with the live one.
  return withMetadata(prepared, { uid: object.metadata.uid });
}

/** A namespace as /finalize changes it: all but its status (namespaceFinalizeStrategy). */
function finalized(live: ApiObject, wanted: ApiObject): ApiObject {
  // Only namespaces have this subresource.
  const { status } = live as Namespace;
  const result: Namespace = { ...(wanted as Namespace), status };
  return result;
}

/** What an update need not repeat, and what it cannot set, is that of the live object (upstream: rest.BeforeUpdate). */
function keepMetadata(live: ApiObject, object: ApiObject): ApiObject {
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, generateName, selfLink, resourceVersion } = live.metadata;
  const wanted = object.metadata;
  return withMetadata(object, {
    uid: wanted.uid ?? uid,
    creationTimestamp,
    deletionTimestamp: deletionTimestamp ?? wanted.deletionTimestamp,
    deletionGracePeriodSeconds: deletionGracePeriodSeconds ?? wanted.deletionGracePeriodSeconds,
    generation,
    selfLink,
    generateName: wanted.generateName ?? generateName,
    resourceVersion,
  });
}

/** Raises metadata.generation when anything but metadata and status changed. */
function withGeneration(live: ApiObject, object: ApiObject, counted: boolean): ApiObject {
  if (!counted || equalParts(desiredState(live), desiredState(object))) return object;
  return withMetadata(object, { generation: (live.metadata.generation ?? 0) + 1 });
}

function desiredState(object: ApiObject): object {
  const { metadata: _metadata, ...rest } = object;
  return { ...rest, status: undefined };
}
