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
export function validateObjectMeta(object: ApiObject, kind: MetadataRules): readonly FieldError[] {
  const errors = new FieldErrors();
  const meta = object.metadata;
  const { nameProblems = dnsSubdomainProblems } = kind;
  const { name = '', namespace = '' } = meta;
  checkGenerateName(errors, meta, kind);
  if (name === '') errors.required('metadata.name', 'name or generateName is required');
  else errors.invalidAll('metadata.name', name, nameProblems(name));
  if (kind.namespaced) {
    if (namespace === '') errors.required('metadata.namespace');
    else errors.invalidAll('metadata.namespace', namespace, dnsLabelProblems(namespace));
  }
  checkObjectMeta(errors, meta);
  if (!isGeneric(kind)) checkStandardFinalizers(errors, meta);
  return errors.list;
}

/** What a kind says of its metadata. */
type MetadataRules = NameRules & Pick<Kind, 'namespaced'>;

type NameRules = Pick<Kind, 'nameProblems' | 'anyGenerateName' | 'metadataChecks'>;

/** The start of a name may end with a dash, which a letter follows (apimachinery: maskTrailingDash). */
function checkGenerateName(errors: FieldErrors, { generateName = '' }: ObjectMeta, kind: NameRules): void {
  if (generateName === '' || kind.anyGenerateName === true || kind.metadataChecks === 'none') return;
  const { nameProblems = dnsSubdomainProblems } = kind;
  const name = generateName.length > 1 && generateName.endsWith('-') ? `${generateName.slice(0, -2)}a` : generateName;
  errors.invalidAll('metadata.generateName', generateName, nameProblems(name));
}

/** What new and changed metadata have to keep alike, but for names. */
function checkObjectMeta(errors: FieldErrors, meta: ObjectMeta): void {
  if ((meta.generation ?? 0) < 0) errors.invalid('metadata.generation', meta.generation, 'must be greater than or equal to 0');
  checkLabels(errors, 'metadata.labels', meta.labels);
  checkAnnotations(errors, 'metadata.annotations', meta.annotations);
  checkOwners(errors, meta.ownerReferences ?? []);
  checkFinalizers(errors, meta.finalizers ?? []);
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

/** `version` or `group/version`; anything else is read as no version at all (schema.FromAPIVersionAndKind). */
const GROUP_VERSION = /^([^/]*\/)?[^/]+$/;

function checkOwners(errors: FieldErrors, owners: readonly OwnerReference[]): void {
  if (owners.length === 0) return;
  const path = 'metadata.ownerReferences';
  for (const owner of owners) {
    if (!GROUP_VERSION.test(owner.apiVersion)) errors.invalid(`${path}.apiVersion`, owner.apiVersion, 'version must not be empty');
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

function checkFinalizers(errors: FieldErrors, finalizers: readonly string[]): void {
  const path = 'metadata.finalizers';
  for (const finalizer of finalizers) errors.invalidAll(path, finalizer, labelKeyProblems(finalizer));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    errors.invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set');
}

/** What most kinds ask of finalizers besides (core/validation ValidateObjectMeta). */
function checkStandardFinalizers(errors: FieldErrors, { finalizers = [] }: ObjectMeta): void {
  finalizers.forEach((finalizer, index) => checkStandardFinalizer(errors, `metadata.finalizers[${index}]`, finalizer));
}

function checkStandardFinalizer(errors: FieldErrors, path: string, finalizer: string): void {
  if (!finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer)) {
    errors.invalid(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified');
  }
}

/** A finalizer outside of metadata (core/validation validateFinalizerName). */
export function checkFinalizerName(errors: FieldErrors, path: string, finalizer: string): void {
  errors.invalidAll(path, finalizer, labelKeyProblems(finalizer));
  checkStandardFinalizer(errors, path, finalizer);
}

/**
 * Metadata of an update: upstream checks them as if they were new, and what may not change, before the kind's own
 * validation, which does most of that again, and reports all of it; causes of a refusal are the same here.
 */
export function validateObjectMetaUpdate(object: ApiObject, old: ApiObject, { kind, subresource }: UpdatedMetadata): readonly FieldError[] {
  const errors = new FieldErrors();
  const next = sameValue(object.metadata.annotations, old.metadata.annotations) ? { ...object.metadata, annotations: undefined } : object.metadata;
  checkObjectMeta(errors, next);
  checkChange(errors, next, old.metadata);
  if (kind.metadataChecks === 'none') return errors.list;
  const standard = !isGeneric(kind);
  const asNew = kind.metadataChecks === 'as-new';
  if ((kind.checksMetadataAgain === true || asNew) && subresource === '') {
    checkGenerateName(errors, next, kind);
    checkObjectMeta(errors, next);
    if (standard) checkStandardFinalizers(errors, next);
  }
  if (asNew) return errors.list;
  checkChange(errors, next, old.metadata);
  if (standard) checkStandardFinalizers(errors, next);
  return errors.list;
}

function isGeneric({ metadataChecks }: Pick<Kind, 'metadataChecks'>): boolean {
  return metadataChecks === 'generic' || metadataChecks === 'none';
}

/** Whose metadata are updated, and through which subresource ("" for the object itself). */
interface UpdatedMetadata {
  readonly kind: NameRules & Pick<Kind, 'checksMetadataAgain'>;
  readonly subresource: string;
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
