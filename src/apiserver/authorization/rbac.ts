/** The RBAC authorizer: what the roles that are bound to a user allow (upstream: plugin/pkg/auth/authorizer/rbac). */
import type { PolicyRule, RoleBinding, Subject } from '#api';
import { aggregateText, goQuote } from '#machinery';
import type { UserInfo } from '../http/message.ts';
import type { AuthorizationAttributes, AuthorizationDecision, Authorizer, UserRules } from './attributes.ts';
import type { RoleView } from './role-view.ts';
import { ruleAllows } from './rules.ts';

/** Decides by roles and bindings. */
export class RbacAuthorizer implements Authorizer {
  readonly #view: RoleView;

  constructor(view: RoleView) {
    this.#view = view;
  }

  authorize(attributes: AuthorizationAttributes): AuthorizationDecision {
    const errors: string[] = [];
    for (const { binding, subject, rules } of this.#view.grants(attributes.user, attributes.namespace ?? '')) {
      if (rules === undefined) errors.push(roleNotFound(binding));
      else if (rules.some((rule) => ruleAllows(rule, attributes))) return { allowed: true, reason: `RBAC: allowed by ${describeGrant(binding, subject)}` };
    }
    return errors.length === 0 ? { allowed: false } : { allowed: false, reason: `RBAC: ${aggregateText(errors)}` };
  }

  rulesFor(user: UserInfo, namespace: string): UserRules {
    const rules: PolicyRule[] = [];
    const errors: string[] = [];
    for (const grant of this.#view.grants(user, namespace)) {
      if (grant.rules === undefined) errors.push(roleNotFound(grant.binding));
      else rules.push(...grant.rules);
    }
    return { rules, incomplete: false, errors };
  }
}

/** Upstream's NotFound of the role that a binding names. */
function roleNotFound({ roleRef }: RoleBinding): string {
  return `${roleRef.kind.toLowerCase()}.rbac.authorization.k8s.io ${goQuote(roleRef.name)} not found`;
}

function describeGrant({ metadata, roleRef }: RoleBinding, subject: Subject): string {
  const { name = '', namespace } = metadata;
  const [kind, where] = namespace === undefined ? ['ClusterRoleBinding', name] : ['RoleBinding', `${name}/${namespace}`];
  const who = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace ?? ''}` : subject.name;
  return `${kind} ${goQuote(where)} of ${roleRef.kind} ${goQuote(roleRef.name)} to ${subject.kind} ${goQuote(who)}`;
}
