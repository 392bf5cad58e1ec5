/** POST on a collection: from the decoded body to the stored object. */
import { validateObjectMeta } from '#api';
import { nameSuffix } from '#base';
import { type ApiObject, alreadyExists, badRequest } from '#machinery';
import { checkGrants } from '../authorization/grants.ts';
import { invalidObject, storedKind } from '../refusals.ts';
import { type Core, timestamp } from '../options.ts';
import { adminAccessErrors } from './admin-access.ts';
import { type Call, admissionRequest, strategyContext } from './call.ts';
import { fieldValidationOf } from './write-options.ts';
import { decodeObject } from './decode.ts';
import { ownership } from './managed.ts';
import { StoredObject, toStorage, withMetadata } from './object-store.ts';

/** Upstream: maxNameLength of generated names minus the suffix (storage/names/generate.go). */
const MAX_GENERATED_NAME_LENGTH = 63 - 5;
const NAME_SUFFIX_LENGTH = 5;
/** Upstream: maxNameGenerationCreateAttempts of the generic registry. */
const NAME_GENERATION_ATTEMPTS = 8;

/** Creates the object of the body. */
export async function create(core: Core, call: Call): Promise<StoredObject> {
  const decoded = await decodeObject(call, fieldValidationOf(call));
  return createObject(core, call, withRequestNamespace(call, decoded));
}

/** Creates an object that is decoded already, in the version of the call's scope. Used by create, PUT and apply of absent names. */
export async function createObject(core: Core, call: Call, decoded: ApiObject, managed?: ApiObject): Promise<StoredObject> {
  const generated = decoded.metadata.name === undefined && decoded.metadata.generateName !== undefined;
  for (let attempt = 1; ; attempt++) {
    const name = generated ? generateName(core, decoded.metadata.generateName ?? '') : decoded.metadata.name;
    const object = await prepare(core, call, { decoded, managed, name });
    await core.admission.validate(core, admissionRequest(call, object));
    const stored = await insert(core, call, object);
    if (stored !== undefined) return stored;
    if (!generated || attempt === NAME_GENERATION_ATTEMPTS) throw alreadyExists(call.scope.groupResource, object.metadata.name ?? '');
  }
}

async function insert(core: Core, call: Call, object: ApiObject): Promise<StoredObject | undefined> {
  if (!call.dryRun) return core.objects.put(call.scope, object, 0);
  const existing = await core.objects.get(call.scope, object.metadata.namespace ?? '', object.metadata.name ?? '');
  return existing === undefined ? new StoredObject(object, 0) : undefined;
}

/** What no client sets on create, and which it therefore does not own either (rest.WipeObjectMetaSystemFields). */
export const SYSTEM_FIELDS = {
  uid: undefined,
  creationTimestamp: undefined,
  deletionTimestamp: undefined,
  deletionGracePeriodSeconds: undefined,
  selfLink: undefined,
};

interface NewObject {
  /** In the scope's version; without a name while that is to be generated. */
  readonly decoded: ApiObject;
  readonly name: string | undefined;
  /** Carries the managed fields if they are computed already. */
  readonly managed: ApiObject | undefined;
}

/** Defaults, conversion, managed fields, fresh metadata, strategy and validation; the object to store. */
async function prepare(core: Core, call: Call, { decoded, managed, name }: NewObject): Promise<ApiObject> {
  const { scope } = call;
  const { kind, version } = scope;
  const context = strategyContext(core, call);
  const defaulted = version.defaults === undefined ? decoded : version.defaults(decoded, context);
  const converted = withMetadata(toStorage(scope, defaulted), SYSTEM_FIELDS);
  // Ownership is that of what the request sets: before admission and strategy add and drop fields.
  const managedFields = managed === undefined ? ownership(core, call, undefined, converted) : managed.metadata.managedFields;
  const admitted = await core.admission.admit(core, admissionRequest(call, converted));
  await checkGrants(core, admissionRequest(call, admitted), call.target.name);
  const fresh = withMetadata(admitted, {
    // Admission does not see generated names, as upstream's does not.
    name,
    uid: core.options.random.uuid(),
    creationTimestamp: timestamp(core.options.clock.nowMs()),
    ...(kind.namesItself === true && admitted.metadata.name === undefined && { name: core.options.random.uuid() }),
    resourceVersion: undefined,
    // Kinds that do not count keep what they are given.
    generation: kind.generation ? 1 : admitted.metadata.generation || undefined,
  });
  const prepared = kind.prepareForCreate === undefined ? fresh : kind.prepareForCreate(fresh, context);
  const ofMetadata = validateObjectMeta(prepared, kind);
  const ofKind = kind.validateCreate?.(prepared, context) ?? [];
  // Metadata that the kind itself does not look at are looked at last.
  const own = kind.metadataChecks === 'none' && ofKind.length > 0 ? ofKind : [...ofMetadata, ...ofKind];
  const errors = [...(await adminAccessErrors(core, prepared)), ...own];
  if (errors.length > 0) throw invalidObject(storedKind(scope), prepared.metadata.name ?? '', errors);
  call.warnings.push(...(kind.warnings?.(prepared, context) ?? []));
  return withMetadata(prepared, { managedFields });
}

/** The object with the namespace of the path; 400 when it names another. */
export function withRequestNamespace(call: Call, object: ApiObject): ApiObject {
  const { namespace } = object.metadata;
  if (!call.scope.kind.namespaced) return namespace === undefined ? object : withMetadata(object, { namespace: undefined });
  if (namespace !== undefined && namespace !== call.target.namespace) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  }
  return withMetadata(object, { namespace: call.target.namespace });
}

function generateName(core: Core, base: string): string {
  return base.slice(0, MAX_GENERATED_NAME_LENGTH) + nameSuffix(core.options.random, NAME_SUFFIX_LENGTH);
}
