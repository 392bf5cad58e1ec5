/** Validation of metadata, the same for every kind (apimachinery ValidateObjectMeta and ValidateObjectMetaUpdate). */
import type { ApiObject, ObjectMeta, OwnerReference } from '#machinery';
import type { FieldError, Kind } from '../kind.ts';
import { sameValue } from '../object.ts';
import { dnsLabelProblems, dnsSubdomainProblems, labelKeyProblems, labelValueProblems } from './names.ts';
import { byteLength, FieldErrors } from './report.ts';

/** apimachinery TotalAnnotationSizeLimitB: keys and values together. */
export const TOTAL_ANNOTATION_SIZE_LIMIT_B = 262144;

const IMMUTABLE = 'field is immutable';

/** Metadata of a new object, after its name has been generated. Names are DNS subdomains unless the kind knows better. */
export function validateObjectMeta(object: ApiObject, kind: Pick<Kind, 'namespaced' | 'nameProblems'>): readonly FieldError[] {
  const errors = new FieldErrors();
  const meta = object.metadata;
  const { nameProblems = dnsSubdomainProblems } = kind;
  const { name = '', namespace = '' } = meta;
  if (name === '') errors.required('metadata.name', 'name or generateName is required');
  else errors.invalidAll('metadata.name', name, nameProblems(name));
  if (kind.namespaced) {
    if (namespace === '') errors.required('metadata.namespace');
    else errors.invalidAll('metadata.namespace', namespace, dnsLabelProblems(namespace));
  }
  checkObjectMeta(errors, meta);
  return errors.list;
}

/** What new and changed metadata have to keep alike, but for names. */
function checkObjectMeta(errors: FieldErrors, meta: ObjectMeta): void {
  if ((meta.generation ?? 0) < 0) errors.invalid('metadata.generation', meta.generation, 'must be greater than or equal to 0');
  checkLabels(errors, 'metadata.labels', meta.labels);
  checkAnnotations(errors, 'metadata.annotations', meta.annotations);
  checkOwners(errors, meta.ownerReferences ?? []);
  meta.finalizers?.forEach((finalizer, index) => checkFinalizer(errors, finalizer, index));
}

/** Labels: keys and values. */
export function checkLabels(errors: FieldErrors, path: string, labels: ObjectMeta['labels']): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    errors.invalidAll(path, key, labelKeyProblems(key));
    errors.invalidAll(path, value, labelValueProblems(value));
  }
}

/** Annotations: keys in any case, and their size in total. */
export function checkAnnotations(errors: FieldErrors, path: string, annotations: ObjectMeta['annotations']): void {
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    errors.invalidAll(path, key, labelKeyProblems(key.toLowerCase()));
    size += byteLength(key) + byteLength(value);
  }
  if (size > TOTAL_ANNOTATION_SIZE_LIMIT_B) errors.tooLong(path, TOTAL_ANNOTATION_SIZE_LIMIT_B);
}

function checkOwners(errors: FieldErrors, owners: readonly OwnerReference[]): void {
  const path = 'metadata.ownerReferences';
  for (const owner of owners) {
    if (owner.apiVersion === '' || owner.apiVersion.endsWith('/')) errors.invalid(`${path}.apiVersion`, owner.apiVersion, 'version must not be empty');
    if (owner.kind === '') errors.invalid(`${path}.kind`, owner.kind, 'must not be empty');
    if (owner.name === '') errors.invalid(`${path}.name`, owner.name, 'must not be empty');
    if (owner.uid === '') errors.invalid(`${path}.uid`, owner.uid, 'must not be empty');
    if (owner.apiVersion === 'v1' && owner.kind === 'Event') errors.invalid(path, owner, '/v1, Kind=Event is disallowed from being an owner');
  }
  const [first, ...others] = owners.filter((owner) => owner.controller === true).map((owner) => `${owner.kind}/${owner.name}`);
  for (const other of others) {
    errors.invalid(path, owners, `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${other}`);
  }
}

/** Finalizers without a domain that upstream knows. */
const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

function checkFinalizer(errors: FieldErrors, finalizer: string, index: number): void {
  const path = 'metadata.finalizers';
  errors.invalidAll(path, finalizer, labelKeyProblems(finalizer));
  if (!finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer)) {
    errors.invalid(`${path}[${index}]`, finalizer, 'name is neither a standard finalizer name nor is it fully qualified');
  }
}

/**
 * Metadata of an update: upstream checks them as if they were new, and what may not change twice, before the update and
 * in every kind's own validation, and reports all of that; causes of a refusal are the same here. `again`: the kind's
 * own validation checks them as if they were new, too.
 */
export function validateObjectMetaUpdate(object: ApiObject, old: ApiObject, again: boolean): readonly FieldError[] {
  const errors = new FieldErrors();
  const next = sameValue(object.metadata.annotations, old.metadata.annotations) ? { ...object.metadata, annotations: undefined } : object.metadata;
  checkObjectMeta(errors, next);
  if (again) checkObjectMeta(errors, next);
  for (let time = 0; time < 2; time++) checkChange(errors, next, old.metadata);
  return errors.list;
}

/** Identity cannot change, and nothing may be added to the finalizers of an object that is being deleted (ValidateObjectMetaAccessorUpdate). */
function checkChange(errors: FieldErrors, next: ObjectMeta, before: ObjectMeta): void {
  const fixed = ['name', 'namespace', 'uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const;
  for (const member of fixed) {
    if ((next[member] ?? '') !== (before[member] ?? '')) errors.invalid(`metadata.${member}`, next[member], IMMUTABLE);
  }
  if ((next.generation ?? 0) < (before.generation ?? 0)) errors.invalid('metadata.generation', next.generation, 'must not be decremented');
  if (before.deletionTimestamp !== undefined) checkNoNewFinalizers(errors, next, before);
  checkLabels(errors, 'metadata.labels', next.labels);
  checkAnnotations(errors, 'metadata.annotations', next.annotations);
  checkOwners(errors, next.ownerReferences ?? []);
}

function checkNoNewFinalizers(errors: FieldErrors, next: ObjectMeta, before: ObjectMeta): void {
  const known = new Set(before.finalizers);
  const added = (next.finalizers ?? []).filter((finalizer) => !known.has(finalizer));
  if (added.length > 0)
    errors.forbidden(
      'metadata.finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(', ')}}`,
    );
}
