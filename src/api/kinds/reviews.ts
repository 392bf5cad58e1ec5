/** Kinds that are asked and answered but never stored: reviews of access, rules and identity, requests for tokens, and bindings of pods. */
import type { ApiObject } from '#machinery';
import type { TokenRequest } from '../types/authentication-v1.ts';
import { validateAccessReview, validateLocalAccessReview, validateSelfAccessReview } from '../validation/access-review.ts';
import { validateBinding } from '../validation/pod-binding.ts';
import { validateTokenRequest } from '../validation/token-request.ts';
import { defineKind, version } from './define.ts';

const AUTHENTICATION = 'authentication.k8s.io';
const AUTHORIZATION = 'authorization.k8s.io';
const authentication = (kind: string) => [version('v1', `io.k8s.api.authentication.v1.${kind}`)];
const authorization = (kind: string) => [version('v1', `io.k8s.api.authorization.v1.${kind}`)];

/** Who the caller is. */
const SELF_SUBJECT_REVIEW = defineKind({
  group: AUTHENTICATION,
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
  versions: authentication('SelfSubjectReview'),
});

/** Whose a token is. */
const TOKEN_REVIEW = defineKind({
  group: AUTHENTICATION,
  kind: 'TokenReview',
  plural: 'tokenreviews',
  namespaced: false,
  versions: authentication('TokenReview'),
});

/** Whether somebody may do something in a namespace. */
const LOCAL_SUBJECT_ACCESS_REVIEW = defineKind({
  group: AUTHORIZATION,
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  namespaced: true,
  versions: authorization('LocalSubjectAccessReview'),
  validateCreate: validateLocalAccessReview,
});

/** Whether the caller may do something. */
const SELF_SUBJECT_ACCESS_REVIEW = defineKind({
  group: AUTHORIZATION,
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
  versions: authorization('SelfSubjectAccessReview'),
  validateCreate: validateSelfAccessReview,
});

/** What the caller may do in a namespace. */
const SELF_SUBJECT_RULES_REVIEW = defineKind({
  group: AUTHORIZATION,
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  namespaced: false,
  versions: authorization('SelfSubjectRulesReview'),
});

/** Whether somebody may do something. */
const SUBJECT_ACCESS_REVIEW = defineKind({
  group: AUTHORIZATION,
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  namespaced: false,
  versions: authorization('SubjectAccessReview'),
  validateCreate: validateAccessReview,
});

/** All reviews, in the order of their groups and plurals. */
export const REVIEW_KINDS = [
  SELF_SUBJECT_REVIEW,
  TOKEN_REVIEW,
  LOCAL_SUBJECT_ACCESS_REVIEW,
  SELF_SUBJECT_ACCESS_REVIEW,
  SELF_SUBJECT_RULES_REVIEW,
  SUBJECT_ACCESS_REVIEW,
] as const;

/** The body of pods/NAME/binding. */
export const BINDING = defineKind({
  group: '',
  kind: 'Binding',
  plural: 'bindings',
  namespaced: true,
  versions: [version('v1', 'io.k8s.api.core.v1.Binding')],
  validateCreate: validateBinding,
});

/** The body of serviceaccounts/NAME/token. */
export const TOKEN_REQUEST = defineKind({
  group: AUTHENTICATION,
  kind: 'TokenRequest',
  plural: 'tokenrequests',
  namespaced: true,
  versions: [version('v1', 'io.k8s.api.authentication.v1.TokenRequest', withExpiration)],
  validateCreate: validateTokenRequest,
});

/** Upstream: SetDefaults_TokenRequestSpec. */
const DEFAULT_EXPIRATION_SECONDS = 60 * 60;

function withExpiration(object: ApiObject): ApiObject {
  // The registry hands each kind its own objects.
  const { spec } = object as TokenRequest;
  const filled: Pick<TokenRequest, 'spec'> = { spec: { ...spec, expirationSeconds: spec?.expirationSeconds ?? DEFAULT_EXPIRATION_SECONDS } };
  return { ...object, ...filled };
}
