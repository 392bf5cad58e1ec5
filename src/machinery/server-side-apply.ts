/** Server-side apply and the bookkeeping of who set what (structured-merge-diff merge.Updater, apimachinery managedfields). */
import { oncePer } from '#base';
import { type Conflict, conflictError } from './apply-conflict.ts';
import { type FieldPath, FieldSet, memberName } from './field-set.ts';
import { hasLastApplied, lastAppliedFields, withLastApplied } from './last-applied.ts';
import { capManagers, decodeManagers, encodeManagers, isReset, type ManagerEntry, managerKey, type Managers, stripManagers } from './managed-fields.ts';
import { isJsonObject, type JsonObject } from './merge-patch.ts';
import type { Json } from './meta.ts';
import type { SchemaNode } from './schema.ts';
import { badRequest } from './status.ts';
import { compareAsGo, type Comparison } from './typed-compare.ts';
import { mergeTyped, removeFields, withNamedFields } from './typed-merge.ts';
import { fieldsOf, sameJson, typeProblems } from './typed-value.ts';

/** Who writes, through which endpoint. */
export interface FieldManagement {
  /** Name of the field manager. */
  readonly manager: string;
  /** Version of the request, such as `resource.k8s.io/v1`. */
  readonly apiVersion: string;
  /** "" for the object itself, otherwise such as `status`. */
  readonly subresource: string;
  /** RFC 3339 with whole seconds. */
  readonly now: string;
  readonly schema: SchemaNode;
  /** Fields that this endpoint resets, which its writers therefore never own; by default status, or through status the spec. */
  readonly resetFields?: readonly FieldPath[] | undefined;
  /** Atomic lists that the request wrote in another form than they are stored in: upstream takes them for changed. */
  readonly rewritten?: readonly FieldPath[] | undefined;
}

/** Input of serverSideApply. `live` undefined creates. */
export interface ApplyInput extends FieldManagement {
  readonly live: Json | undefined;
  readonly applied: Json;
  readonly force: boolean;
}

/** Input of updateManagedFields. `live` undefined creates. */
export interface UpdateInput extends FieldManagement {
  readonly live: Json | undefined;
  readonly updated: Json;
}

/** Only this manager moves objects on from kubectl's client-side apply. */
const KUBECTL = 'kubectl';
/** Owner of what was there before the first apply. */
const BEFORE_FIRST_APPLY = 'before-first-apply';

/**
 * Merges `applied` into `live` for its manager: what it sets becomes its own, what it set before and no longer does goes unless
 * others own it. Throws ApiError: 409 where others own fields that would change (unless forced), 400 where `applied` does not fit.
 */
export function serverSideApply(input: ApplyInput): { object: Json } {
  const applied = checkConfiguration(input);
  const live = isJsonObject(input.live) ? input.live : {};
  const bare = withoutManagedFields(live);
  const managers = decodeManagers(metadataOf(live)['managedFields']) ?? new Map();
  if (managers.size === 0) trackEarlierFields(bare, managers, input);
  const outcome = applyOrUpgrade(bare, applied, new Map(managers), input);
  stripManagers(outcome.managers);
  const key = managerKey(applyEntry(input));
  const entry = outcome.managers.get(key);
  if (entry !== undefined && outcome.changed) outcome.managers.set(key, { ...entry, time: input.now });
  capManagers(outcome.managers);
  const object = input.manager === KUBECTL && hasLastApplied(outcome.object) ? withLastApplied(outcome.object, applied) : outcome.object;
  return { object: withManagers(object, outcome.managers) };
}

/** `updated` with metadata.managedFields: its manager owns what it changed, others lose that. For create, update and other patches. */
export function updateManagedFields(input: UpdateInput): Json {
  if (!isJsonObject(input.updated)) return input.updated;
  const live = isJsonObject(input.live) ? input.live : {};
  const updated = withoutManagedFields(input.updated);
  const managers = managersForUpdate(live, input.updated, input.subresource);
  // Whoever has let go of all ownership stays untracked until the next apply.
  if (managers.size === 0 && metadataOf(live)['uid'] !== undefined) return updated;
  recordUpdate({ live: withoutManagedFields(live), updated, managers }, input.manager, input);
  stripManagers(managers);
  capManagers(managers);
  return withManagers(updated, managers);
}

/** The managers to start from: those the request brings (unless through a subresource), otherwise the live ones. */
function managersForUpdate(live: JsonObject, updated: JsonObject, subresource: string): Managers {
  const ofLive = (): Managers => decodeManagers(metadataOf(live)['managedFields']) ?? new Map();
  if (subresource !== '') return ofLive();
  const given = metadataOf(updated)['managedFields'];
  if (isReset(given)) return new Map();
  // Who replaces what was read sends its managers back; the sets of the live ones may be known.
  if (sameJson(given, metadataOf(live)['managedFields'])) return ofLive();
  const managers = decodeManagers(given);
  return managers === undefined || managers.size === 0 ? ofLive() : managers;
}

interface Update {
  readonly live: JsonObject;
  readonly updated: JsonObject;
  readonly managers: Managers;
}

/** Moves changed fields to `manager`, whose time advances only when it took any. */
function recordUpdate({ live, updated, managers }: Update, manager: string, input: FieldManagement): void {
  const { comparison } = takeChanges({ live, updated, managers }, undefined, input);
  const taken = comparison.modified.union(comparison.added);
  if (taken.isWithin(EVERYWHERE)) return;
  const entry: ManagerEntry = {
    manager,
    operation: 'Update',
    apiVersion: input.apiVersion,
    subresource: input.subresource,
    time: input.now,
    fields: taken,
  };
  const key = managerKey(entry);
  managers.set(key, { ...entry, fields: taken.union(managers.get(key)?.fields ?? FieldSet.empty) });
}

/** Changes that every write makes by itself, such as the resourceVersion, give no one a new time. */
const EVERYWHERE = FieldSet.of([['f:metadata'], ['f:metadata', 'f:resourceVersion'], ['f:metadata', 'f:generation']]);

/** Takes what differs away from all managers but `self`; returns who lost fields that changed. */
function takeChanges({ live, updated, managers }: Update, self: string | undefined, input: FieldManagement): { comparison: Comparison; conflicts: Conflict[] } {
  const found = compareAsGo(live, updated, input.schema);
  const rewritten = rewrittenIn(live, input).difference(found.modified);
  const ignored = ignoredBy(input);
  const comparison: Comparison = {
    added: found.added.recursiveDifference(ignored),
    removed: found.removed.recursiveDifference(ignored),
    modified: found.modified.union(rewritten).recursiveDifference(ignored),
  };
  const changed = comparison.modified.union(comparison.added);
  const conflicts: Conflict[] = [];
  for (const [key, entry] of managers) {
    if (key === self) continue;
    // Seen in another version the rewritten is what it was.
    const fields = entry.fields.intersection(entry.apiVersion === input.apiVersion ? changed : changed.difference(rewritten));
    if (!fields.isEmpty) conflicts.push({ entry, fields });
    const kept = entry.fields.difference(fields).difference(comparison.removed);
    if (kept.isEmpty) managers.delete(key);
    else if (kept !== entry.fields) managers.set(key, { ...entry, fields: kept });
  }
  return { comparison, conflicts };
}

/** What the request wrote in another form than it is stored in, where that was set before. */
function rewrittenIn(live: JsonObject, { rewritten = [] }: FieldManagement): FieldSet {
  return rewritten.length === 0 ? FieldSet.empty : FieldSet.of(rewritten.filter((path) => isSet(live, path)));
}

/** Whether a value stands at the end of a path of members. */
function isSet(value: Json | undefined, path: FieldPath): boolean {
  const end = path.reduce<Json | undefined>((at, element) => (isJsonObject(at) ? at[memberName(element) ?? ''] : undefined), value);
  return end !== undefined && end !== null;
}

function ignoredBy({ resetFields, subresource }: FieldManagement): FieldSet {
  if (resetFields !== undefined) return setOf(resetFields);
  return subresource === '' ? STATUS : subresource === 'status' ? SPEC : FieldSet.empty;
}

/** Whoever names fields to be reset names the same list each time. */
const setOf = oncePer((fields: readonly FieldPath[]) => FieldSet.of(fields));
const STATUS = FieldSet.of([['f:status']]);
const SPEC = FieldSet.of([['f:spec']]);

interface ApplyOutcome {
  readonly object: JsonObject;
  readonly managers: Managers;
  readonly changed: boolean;
}

/** Applies; conflicts that stem from kubectl's own client-side apply are forced (lastAppliedManager). */
function applyOrUpgrade(live: JsonObject, applied: JsonObject, managers: Managers, input: ApplyInput): ApplyOutcome {
  const attempt = applyOnce(live, applied, managers, input);
  if (attempt.conflicts.length === 0 || input.force) return attempt.outcome;
  const allowed = input.manager === KUBECTL ? lastAppliedFields(live, input.schema) : FieldSet.empty;
  const remaining = attempt.conflicts.map(({ entry, fields }) => ({ entry, fields: fields.difference(allowed) })).filter(({ fields }) => !fields.isEmpty);
  if (remaining.length > 0) throw conflictError(remaining);
  return attempt.outcome;
}

/** One apply as if forced, with the conflicts that it would override (merge.Updater.Apply). */
function applyOnce(live: JsonObject, applied: JsonObject, before: Managers, input: ApplyInput): { outcome: ApplyOutcome; conflicts: readonly Conflict[] } {
  const managers = new Map(before);
  const key = managerKey(applyEntry(input));
  const last = managers.get(key);
  const fields = fieldsOf(applied, input.schema).recursiveDifference(ignoredBy(input));
  managers.set(key, { ...applyEntry(input), fields, time: last?.time });
  const merged = mergeTyped(live, applied, input.schema);
  const pruned = prune(isJsonObject(merged) ? merged : {}, last?.fields, managers, input.schema);
  const { conflicts } = takeChanges({ live, updated: pruned, managers }, key, input);
  const changed = !sameJson(live, pruned);
  return { outcome: { object: changed ? pruned : live, managers, changed }, conflicts };
}

function applyEntry({ manager, apiVersion, subresource }: FieldManagement): ManagerEntry {
  return { manager, operation: 'Apply', apiVersion, subresource, time: undefined, fields: FieldSet.empty };
}

/** Removes what the manager applied last time, except what someone owns now or what never was only its own (Updater.prune). */
function prune(merged: JsonObject, last: FieldSet | undefined, managers: Managers, schema: SchemaNode): JsonObject {
  if (last === undefined || last.isEmpty) return merged;
  const named = (fields: FieldSet): FieldSet => withNamedFields(fields, schema);
  const setBy = (value: Json | undefined): FieldSet => named(fieldsOf(value ?? {}, schema));
  const without = (fields: FieldSet): JsonObject => {
    const rest = removeFields(merged, fields, schema);
    return isJsonObject(rest) ? rest : {};
  };
  const owned = [...managers.values()].reduce((all, entry) => all.union(entry.fields), FieldSet.empty);
  const mergedSet = setBy(merged);
  const bare = without(named(last));
  const withOwned = without(mergedSet.difference(setBy(bare).union(named(owned))));
  return without(mergedSet.difference(setBy(withOwned)).intersection(named(last)));
}

/** Before the first apply of an object without managers, everything in it belongs to no applier in particular. */
function trackEarlierFields(live: JsonObject, managers: Managers, input: ApplyInput): void {
  recordUpdate({ live: {}, updated: live, managers }, BEFORE_FIRST_APPLY, input);
  stripManagers(managers);
}

/** The configuration if it may be applied: an object that its schema knows all of, without managedFields. Throws ApiError 400. */
export function checkConfiguration({ applied, apiVersion, schema }: Pick<ApplyInput, 'applied' | 'apiVersion' | 'schema'>): JsonObject {
  if (!isJsonObject(applied)) throw badRequest('invalid object type: /, Kind=');
  const metadata = metadataOf(applied);
  if (metadata['managedFields'] !== undefined && metadata['managedFields'] !== null) throw badRequest('metadata.managedFields must be nil');
  const problems = typeProblems(applied, schema);
  if (problems.length === 0) return applied;
  const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
  const version = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  const subject = `${text(metadata['namespace'])}/${text(metadata['name'])}; ${version}, Kind=${text(applied['kind'])}`;
  const [only = ''] = problems;
  const what = problems.length === 1 ? only : `errors:\n${problems.map((problem) => `  ${problem}`).join('\n')}`;
  throw badRequest(`failed to create typed patch object (${subject}): ${what}`);
}

function metadataOf(object: JsonObject): JsonObject {
  const { metadata } = object;
  return isJsonObject(metadata) ? metadata : {};
}

function withoutManagedFields(object: JsonObject): JsonObject {
  if (!isJsonObject(object['metadata'])) return object;
  const { managedFields: _, ...metadata } = object['metadata'];
  return { ...object, metadata };
}

function withManagers(object: JsonObject, managers: Managers): JsonObject {
  const bare = withoutManagedFields(object);
  if (managers.size === 0) return bare;
  return { ...bare, metadata: { ...metadataOf(bare), managedFields: encodeManagers(managers) } };
}
