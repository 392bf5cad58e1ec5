/** Reviews of identities: whose a token is, and who the caller is (upstream: registry/authentication). */
import type { TokenReview } from '#api';
import { aggregateText, type ApiObject, badRequest } from '#machinery';
import { userOfToken } from '../authentication.ts';
import { AUTHENTICATED_GROUP } from '../authorization/attributes.ts';
import type { UserInfo } from '../http/message.ts';
import { type Core, timestamp } from '../options.ts';
import type { Call } from '../registry/call.ts';

/** A SelfSubjectReview: nothing of the request remains. */
export function reviewSelf(core: Core, { user }: Call): ApiObject {
  const answer: Pick<TokenReview, 'metadata'> & { status: object } = {
    metadata: { creationTimestamp: timestamp(core.options.clock.nowMs()) },
    status: { userInfo: asUserInfo(user) },
  };
  return answer;
}

function asUserInfo({ name, uid, groups, extra }: UserInfo): NonNullable<TokenReview['status']>['user'] {
  return { username: name, uid, groups, extra };
}

/** A TokenReview. */
export async function reviewToken(core: Core, _call: Call, object: ApiObject): Promise<ApiObject> {
  // Handed over by the plural of its kind.
  const review = object as TokenReview;
  const { token, audiences = [] } = review.spec;
  // Absent where the body names none.
  if ((token as string | undefined) === undefined || token === '') throw badRequest('token is required for TokenReview in authentication');
  return answered(review, await statusOf(core, token, audiences));
}

function answered(review: TokenReview, status: TokenReview['status']): TokenReview {
  return { ...review, status };
}

async function statusOf(core: Core, token: string, wanted: readonly string[]): Promise<TokenReview['status']> {
  const verdict = await userOfToken(core, token, wanted);
  if (!('user' in verdict)) return { error: aggregateText(['invalid bearer token', ...(verdict.problem === undefined ? [] : [verdict.problem])]) };
  const groups = [...new Set([...verdict.user.groups, AUTHENTICATED_GROUP])];
  return { authenticated: true, user: asUserInfo({ ...verdict.user, groups }), audiences: verdict.audiences };
}
