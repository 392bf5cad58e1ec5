/**
 * api: the kinds. Types and schema data are generated from one recorded source; defaults, conversion, validation,
 * strategies and table columns are pure functions beside them, and a `Kind` in KINDS puts them together for the
 * API server's registry. Objects are validated in the shape of their storage version (v1 for the DRA kinds), as
 * upstream validates its internal types, so every served version reports the same paths.
 *
 * What a release serves and which features it has is data (`servedVersions`, `featureGates`); nothing here asks for
 * the time, and CEL comes in as a parameter.
 */
export type * from './types/core-v1.ts';
export type * from './types/resource-v1.ts';
export type { ResourceClaim } from './types/resource-v1.ts';
export type { DeviceTaintRule, DeviceTaintRuleSpec, DeviceTaintSelector } from './types/resource-v1beta2.ts';
export type { BoundObjectReference, TokenRequest, TokenReview } from './types/authentication-v1.ts';
export type {
  ResourceAttributes,
  SelfSubjectAccessReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
} from './types/authorization-v1.ts';
export type * from './types/rbac-v1.ts';
export type { PoolStatus, ResourcePoolStatusRequest } from './types/resource-v1alpha3.ts';
export type { PodGroup, PodGroupResourceClaim, Workload } from './types/scheduling-v1alpha2.ts';
export type { Deployment, DeploymentStatus, ReplicaSet, ReplicaSetStatus } from './types/apps-v1.ts';
export type { PriorityClass } from './types/scheduling-v1.ts';
export type { PodDisruptionBudget } from './types/policy-v1.ts';
export type * from './kind.ts';
export type { Lease, LeaseSpec } from './types/coordination-v1.ts';
export { ADMIN_ACCESS_LABEL } from './admin-access.ts';
export { SCALE, type Scalable, scaleOf } from './kinds/scale.ts';
export { defineKind, version } from './kinds/define.ts';
export { BINDING, REVIEW_KINDS, TOKEN_REQUEST } from './kinds/reviews.ts';
export { dropPodClaims } from './strategy/drop-pod.ts';
export { KINDS, kindByResource } from './kinds.ts';
export { type Describe, describeDefinitions } from './descriptions.ts';
export { definitions, type OpenApiSchema, schemaOf } from './schema.ts';
export { type NumberedField, numberedFields, numberedTypes } from './schema/field-numbers.ts';
export { compareReleases, featureGates, GateError } from './gates.ts';
export { deprecationWarning, type ServedOptions, servedVersions } from './served.ts';
export { isGroupEntry, podGroupNameOf } from './pod-group.ts';
export { claimState } from './columns/dra.ts';
export { canonical } from './canonical.ts';
export { Age, humanDuration, shownCell } from './columns/age.ts';
export { validateObjectMeta, validateObjectMetaUpdate } from './validation/metadata.ts';
export { MOUNTABLE_SECRETS_ANNOTATION } from './kinds/core.ts';
export { MIRROR_ANNOTATION } from './validation/pod.ts';
export { FieldErrors } from './validation/report.ts';
export { RBAC_GROUP } from './validation/rbac.ts';
export {
  isCounted,
  isTerminatingPod,
  missingAmounts,
  podAmounts,
  quotaApplies,
  quotaNames,
  type QuotaNamesWorld,
  type QuotaWorld,
  quotaUsage,
  type Usage,
} from './quota.ts';
export { SYSTEM_PRIORITIES } from './validation/priority-class.ts';
export { driverNameProblems } from './validation/dra-names.ts';
export { dnsLabelProblems, dnsSubdomainProblems, labelKeyProblems, labelValueProblems } from './validation/names.ts';
