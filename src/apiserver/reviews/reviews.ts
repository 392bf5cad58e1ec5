/** Reviews: kinds that are never stored, only answered (authentication.k8s.io and authorization.k8s.io). */
import { REVIEW_KINDS } from '#api';
import { type ApiObject, methodNotAllowed } from '#machinery';
import { onlyScopeOf, type Scope } from '../catalog.ts';
import { jsonResponse, type ServerResponse } from '../http/message.ts';
import type { ResourceTarget } from '../http/request-info.ts';
import type { Core } from '../options.ts';
import { invalidObject } from '../refusals.ts';
import { type Call, strategyContext } from '../registry/call.ts';
import { fieldValidationOf } from '../registry/write-options.ts';
import { SYSTEM_FIELDS, withRequestNamespace } from '../registry/create.ts';
import { decodeObject } from '../registry/decode.ts';
import { ownership } from '../registry/managed.ts';
import { withMetadata } from '../registry/object-store.ts';
import { checkWanted, WITHOUT_TABLE } from '../registry/respond.ts';
import { reviewAccess, reviewOwnAccess, reviewOwnRules } from './access.ts';
import { reviewSelf, reviewToken } from './identity.ts';

/** The review resources. */
export const REVIEWS: readonly Scope[] = REVIEW_KINDS.map(onlyScopeOf);

/** What a review is answered with; the object is decoded and valid. */
type Answer = (core: Core, call: Call, review: ApiObject) => ApiObject | Promise<ApiObject>;

const ANSWERS: Readonly<Record<(typeof REVIEW_KINDS)[number]['plural'], Answer>> = {
  selfsubjectreviews: reviewSelf,
  tokenreviews: reviewToken,
  localsubjectaccessreviews: reviewAccess,
  selfsubjectaccessreviews: reviewOwnAccess,
  selfsubjectrulesreviews: reviewOwnRules,
  subjectaccessreviews: reviewAccess,
};

/** The review that a request is about, of whatever method. */
export function findReview({ group, version, plural }: Pick<ResourceTarget, 'group' | 'version' | 'plural'>): Scope | undefined {
  return REVIEWS.find(({ kind, gvk }) => kind.group === group && gvk.version === version && kind.plural === plural);
}

/** Answers a creation of a review. */
export async function handleReview(core: Core, call: Call): Promise<ServerResponse> {
  const { scope } = call;
  const { kind } = scope;
  checkWanted(call, WITHOUT_TABLE);
  const decoded = withRequestNamespace(call, await decodeObject(call, fieldValidationOf(call)));
  const context = strategyContext(core, call);
  const filled = scope.version.defaults?.(decoded, context) ?? decoded;
  const asked = withMetadata(filled, SYSTEM_FIELDS);
  const review = withMetadata(asked, { managedFields: ownership(core, call, undefined, asked) });
  const errors = kind.validateCreate?.(review, context) ?? [];
  // Upstream names no kind here.
  if (errors.length > 0) throw invalidObject({ group: kind.group, kind: '' }, '', errors);
  const answer = await (ANSWERS[kind.plural] ?? unanswerable)(core, call, review);
  return jsonResponse(201, { kind: kind.kind, apiVersion: scope.apiVersion, ...scope.version.defaults?.(answer, context) });
}

function unanswerable(): never {
  throw methodNotAllowed();
}
