/** Reviews of access: whether somebody may do something, and what the caller may do (upstream: registry/authorization). */
import type { PolicyRule, ResourceAttributes, SelfSubjectAccessReview, SelfSubjectRulesReview, SubjectAccessReview, SubjectAccessReviewStatus } from '#api';
import {
  aggregateText,
  type ApiObject,
  badRequest,
  type FieldRequirement,
  isJsonObject,
  type Json,
  labelSelectorRequirements,
  parseFieldSelector,
  parseLabelRequirements,
} from '#machinery';
import type { AuthorizationAttributes } from '../authorization/attributes.ts';
import type { UserInfo } from '../http/message.ts';
import type { Core } from '../options.ts';
import type { Call } from '../registry/call.ts';

/** A SubjectAccessReview, of the cluster or of a namespace. */
export async function reviewAccess(core: Core, _call: Call, object: ApiObject): Promise<ApiObject> {
  // Handed over by the plural of its kind.
  const review = object as SubjectAccessReview;
  const { user = '', groups = [], uid, extra } = review.spec;
  const answered: SubjectAccessReview = { ...review, status: await decide(core, { name: user, groups, uid, extra }, review.spec) };
  return answered;
}

/** A SelfSubjectAccessReview. */
export async function reviewOwnAccess(core: Core, { user }: Call, object: ApiObject): Promise<ApiObject> {
  // Handed over by the plural of its kind.
  const review = object as SelfSubjectAccessReview;
  const answered: SelfSubjectAccessReview = { ...review, status: await decide(core, user, review.spec) };
  return answered;
}

/** A selector as far as it could be read. */
interface Selected<T> {
  readonly requirements: readonly T[];
  readonly failed: boolean;
}

async function decide(
  core: Core,
  user: UserInfo,
  { resourceAttributes, nonResourceAttributes }: SelfSubjectAccessReview['spec'],
): Promise<SubjectAccessReviewStatus> {
  if (resourceAttributes === undefined) {
    const { verb = '', path = '' } = nonResourceAttributes ?? {};
    return core.authorizer.authorize({ user, verb, path });
  }
  const fields = fieldsOf(resourceAttributes.fieldSelector);
  const decision = await core.authorizer.authorize(attributesOf(user, resourceAttributes, fields.requirements));
  const failures = { fieldSelector: fields, labelSelector: labelsOf(resourceAttributes.labelSelector) };
  const errors = Object.entries(failures).flatMap(([name, { requirements, failed }]) =>
    failed ? [`spec.resourceAttributes.${name} ${requirements.length > 0 ? 'partially ' : ''}ignored due to parse error`] : [],
  );
  return errors.length === 0 ? decision : { ...decision, evaluationError: errors.join('; ') };
}

function attributesOf(user: UserInfo, asked: ResourceAttributes, fields: readonly FieldRequirement[]): AuthorizationAttributes {
  const { verb = '', group, resource, subresource, namespace, name } = asked;
  return { user, verb, group, resource, subresource, namespace, name, fields };
}

const NOTHING: Selected<never> = { requirements: [], failed: false };
const UNREADABLE: Selected<never> = { requirements: [], failed: true };

function fieldsOf(selector: ResourceAttributes['fieldSelector']): Selected<FieldRequirement> {
  const { rawSelector = '', requirements = [] } = selector ?? {};
  if (rawSelector !== '') return read(() => parseFieldSelector(rawSelector));
  const known = requirements.map(fieldRequirement);
  return { requirements: known.filter((requirement) => requirement !== undefined), failed: known.includes(undefined) };
}

/** Upstream: fieldSelectorAsSelector; undefined for what this release does not understand. */
function fieldRequirement(requirement: Json): FieldRequirement | undefined {
  if (!isJsonObject(requirement)) return undefined;
  const { key, operator, values } = requirement;
  const [value, ...others] = Array.isArray(values) ? values : [];
  const op = operator === 'In' ? '=' : operator === 'NotIn' ? '!=' : undefined;
  return typeof key === 'string' && typeof value === 'string' && others.length === 0 && op !== undefined ? { field: key, op, value } : undefined;
}

function labelsOf(selector: ResourceAttributes['labelSelector']): Selected<unknown> {
  const { rawSelector = '', requirements = [] } = selector ?? {};
  if (rawSelector !== '') return read(() => parseLabelRequirements(rawSelector));
  const each = requirements.map((requirement) => read(() => labelSelectorRequirements({ matchExpressions: [requirement] })));
  return { requirements: each.flatMap((selected) => selected.requirements), failed: each.some(({ failed }) => failed) };
}

function read<T>(parse: () => readonly T[]): Selected<T> {
  try {
    return { ...NOTHING, requirements: parse() };
  } catch {
    return UNREADABLE;
  }
}

/** A SelfSubjectRulesReview: nothing of the request remains. */
export function reviewOwnRules(core: Core, { user }: Call, object: ApiObject): ApiObject {
  // Handed over by the plural of its kind.
  const { namespace = '' } = (object as SelfSubjectRulesReview).spec;
  if (namespace === '') throw badRequest('no namespace on request');
  const { rules, incomplete, errors } = core.authorizer.rulesFor(user, namespace);
  const answer: SelfSubjectRulesReview = {
    metadata: {},
    spec: {},
    status: {
      resourceRules: rules.filter((rule) => (rule.resources ?? []).length > 0).map(resourceRule),
      nonResourceRules: rules.filter((rule) => (rule.nonResourceURLs ?? []).length > 0).map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      incomplete,
      ...(errors.length > 0 && { evaluationError: aggregateText(errors) }),
    },
  };
  return answer;
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: PolicyRule): PolicyRule {
  return { verbs, apiGroups, resources, resourceNames };
}
