/** Validation of the access reviews (upstream: pkg/apis/authorization/validation). */
import type { ApiObject, LabelSelectorRequirement } from '#machinery';
import type { FieldError } from '../kind.ts';
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  LocalSubjectAccessReview,
  NonResourceAttributes,
  SelfSubjectAccessReview,
  SelfSubjectAccessReviewSpec,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '../types/authorization-v1.ts';
import { goStruct } from './go-struct.ts';
import { checkSelectorRequirement } from './label-selector.ts';
import { FieldErrors } from './report.ts';

/** A SubjectAccessReview: about somebody and one thing. */
export function validateAccessReview(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  checkSubjectSpec(errors, (object as SubjectAccessReview).spec);
  checkNoMetadata(errors, object, [], 'must be empty');
  return errors.list;
}

/** A SelfSubjectAccessReview: about one thing. */
export function validateSelfAccessReview(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { spec } = object as SelfSubjectAccessReview;
  checkAttributes(errors, spec);
  checkSelectors(errors, spec);
  checkNoMetadata(errors, object, [], 'must be empty');
  return errors.list;
}

/** A LocalSubjectAccessReview: about somebody and one resource of its namespace. */
export function validateLocalAccessReview(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { spec, metadata } = object as LocalSubjectAccessReview;
  checkSubjectSpec(errors, spec);
  checkNoMetadata(errors, object, ['namespace'], 'must be empty except for namespace');
  const { resourceAttributes, nonResourceAttributes } = spec;
  const { namespace = '' } = resourceAttributes ?? {};
  if (resourceAttributes !== undefined && namespace !== (metadata.namespace ?? ''))
    errors.invalid('spec.resourceAttributes.namespace', namespace, 'must match metadata.namespace');
  if (nonResourceAttributes !== undefined) errors.invalid(NON_RESOURCE, printed(nonResourceAttributes), 'disallowed on this kind of request');
  return errors.list;
}

const NON_RESOURCE = 'spec.nonResourceAttributes';

function checkSubjectSpec(errors: FieldErrors, spec: SubjectAccessReviewSpec): void {
  checkAttributes(errors, spec);
  const { user = '', groups = [] } = spec;
  if (user === '' && groups.length === 0) errors.invalid('spec.user', user, 'at least one of user or group must be specified');
  checkSelectors(errors, spec);
}

function checkAttributes(errors: FieldErrors, { resourceAttributes, nonResourceAttributes }: SelfSubjectAccessReviewSpec): void {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined)
    errors.invalid(NON_RESOURCE, printed(nonResourceAttributes), 'cannot be specified in combination with resourceAttributes');
  if (resourceAttributes === undefined && nonResourceAttributes === undefined)
    errors.invalid('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified');
}

function printed(attributes: NonResourceAttributes): unknown {
  return goStruct(attributes, 'io.k8s.api.authorization.v1.NonResourceAttributes');
}

function checkNoMetadata(errors: FieldErrors, { metadata }: ApiObject, allowed: readonly string[], why: string): void {
  const stray = Object.entries(metadata).filter(([name, value]) => value !== undefined && name !== 'managedFields' && !allowed.includes(name));
  if (stray.length > 0) errors.invalid('metadata', goStruct(metadata, 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'), why);
}

function checkSelectors(errors: FieldErrors, { resourceAttributes }: SelfSubjectAccessReviewSpec): void {
  const { fieldSelector, labelSelector } = resourceAttributes ?? {};
  if (fieldSelector !== undefined) {
    const path = 'spec.resourceAttributes.fieldSelector';
    checkEither(errors, path, fieldSelector);
    // Requirements on fields are of the same shape as those on labels.
    (fieldSelector.requirements ?? []).forEach((requirement, at) =>
      checkFieldRequirement(errors, `${path}.requirements[${String(at)}]`, requirement as unknown as Partial<LabelSelectorRequirement>),
    );
  }
  if (labelSelector === undefined) return;
  const path = 'spec.resourceAttributes.labelSelector';
  checkEither(errors, path, labelSelector);
  // Operators that this release does not know are left to the evaluation: clients may be newer.
  (labelSelector.requirements ?? []).forEach((requirement, at) => checkSelectorRequirement(errors, `${path}.requirements[${String(at)}]`, requirement, true));
}

function checkEither(errors: FieldErrors, path: string, { rawSelector = '', requirements = [] }: FieldSelectorAttributes | LabelSelectorAttributes): void {
  if (rawSelector !== '' && requirements.length > 0) errors.invalid(`${path}.rawSelector`, rawSelector, 'may not specified at the same time as requirements');
  if (rawSelector === '' && requirements.length === 0)
    errors.required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`);
}

function checkFieldRequirement(errors: FieldErrors, path: string, { key = '', operator, values = [] }: Partial<LabelSelectorRequirement>): void {
  if (key === '') errors.required(`${path}.key`, 'must be specified');
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
    errors.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
    errors.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
}
