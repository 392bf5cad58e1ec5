/** The authorizers that --authorization-mode names, asked one after the other (upstream: authorizer/union). */
import type { UserInfo } from '../http/message.ts';
import { type AuthorizationAttributes, type AuthorizationDecision, type Authorizer, MASTERS_GROUP, type UserRules } from './attributes.ts';

/** Names of upstream's --authorization-mode that dray has. */
export const AUTHORIZATION_MODES = ['AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC'] as const;
/** One of them. */
export type AuthorizationMode = (typeof AUTHORIZATION_MODES)[number];

const EVERYTHING: UserRules = {
  rules: [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ],
  incomplete: false,
  errors: [],
};

/** Allows everything. */
export const ALWAYS_ALLOW: Authorizer = { authorize: () => ({ allowed: true }), rulesFor: () => EVERYTHING };
/** Allows nothing. */
export const ALWAYS_DENY: Authorizer = {
  authorize: () => ({ allowed: false, reason: 'Everything is forbidden.' }),
  rulesFor: () => ({ rules: [], incomplete: false, errors: [] }),
};

/** Allows what one of its authorizers allows; members of system:masters are never asked for more. */
export class UnionAuthorizer implements Authorizer {
  readonly #authorizers: readonly Authorizer[];

  constructor(authorizers: readonly Authorizer[]) {
    this.#authorizers = authorizers;
  }

  async authorize(attributes: AuthorizationAttributes): Promise<AuthorizationDecision> {
    if (attributes.user.groups.includes(MASTERS_GROUP)) return { allowed: true };
    const reasons: string[] = [];
    for (const authorizer of this.#authorizers) {
      const decision = await authorizer.authorize(attributes);
      if (decision.allowed) return decision;
      if (decision.reason !== undefined && decision.reason !== '') reasons.push(decision.reason);
    }
    return reasons.length === 0 ? { allowed: false } : { allowed: false, reason: reasons.join('\n') };
  }

  rulesFor(user: UserInfo, namespace: string): UserRules {
    const all = this.#authorizers.map((authorizer) => authorizer.rulesFor(user, namespace));
    return {
      rules: all.flatMap(({ rules }) => rules),
      incomplete: all.some(({ incomplete }) => incomplete),
      errors: all.flatMap(({ errors }) => errors),
    };
  }
}
