/** Who hands out rights must have them, or the right to hand them out (upstream: registry/rbac policybased and validation.ConfirmNoEscalation). */
import { type ClusterRole, type PolicyRule, RBAC_GROUP, type RoleBinding } from '#api';
import { aggregateText, type ApiError, type ApiObject, forbidden, goQuote, notFound } from '#machinery';
import type { AdmissionOfObject } from '../admission/plugin.ts';
import type { Core } from '../options.ts';
import { equalParts } from '../registry/managed.ts';
import { withMetadata } from '../registry/object-store.ts';
import { MASTERS_GROUP } from './attributes.ts';
import { describeRules, missingRules, quotedList } from './covers.ts';

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** Refuses a new or changed role or binding that gives rights which the writer lacks. `pathName` is the name in the path of the request, if it has one. */
export async function checkGrants(core: Core, request: AdmissionOfObject, pathName: string): Promise<void> {
  const { group, plural } = request.scope.kind;
  if (group !== RBAC_GROUP || request.subresource !== '' || request.user.groups.includes(MASTERS_GROUP)) return;
  if (plural === 'roles' || plural === 'clusterroles') await checkRole(core, request, pathName);
  else await checkBinding(core, request);
}

/** Whether a change is of nothing but what garbage collection needs (upstream: IsOnlyMutatingGCFields); a label may well hand out rights, by aggregation. */
function onlyForCollection(object: ApiObject, old: ApiObject): boolean {
  const { ownerReferences, finalizers, managedFields } = old.metadata;
  return equalParts(withMetadata(object, { ownerReferences, finalizers, managedFields }), old);
}

async function checkRole(core: Core, request: AdmissionOfObject, pathName: string): Promise<void> {
  // Narrowed by plural; both kinds of roles have rules.
  const [role, old] = [request.object as ClusterRole, request.old as ClusterRole | undefined];
  if (old !== undefined && onlyForCollection(role, old)) return;
  const { kind } = request.scope;
  // Of the request, as upstream: the right to escalate a role of one name is none to make it.
  if (await may(core, request, 'escalate', { resource: kind.plural, name: pathName })) return;
  checkHeld(core, request, role.rules ?? []);
  if (role.aggregationRule === undefined && old?.aggregationRule === undefined) return;
  if (missing(core, request, EVERYTHING).length > 0) throw refusedGrant(request, 'must have cluster-admin privileges to use the aggregationRule');
}

async function checkBinding(core: Core, request: AdmissionOfObject): Promise<void> {
  const [binding, old] = [request.object as RoleBinding, request.old as RoleBinding | undefined];
  if (old !== undefined && onlyForCollection(binding, old)) return;
  const { roleRef } = binding;
  const resource = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  if (await may(core, request, 'bind', { resource, name: roleRef.name })) return;
  const rules = core.access.roles.rulesOf(binding);
  // The refusal names the role, but the resource of the binding, as upstream's does.
  if (rules === undefined && resource === 'roles' && roleRef.kind !== 'Role') return;
  if (rules === undefined) throw notFound(request.scope.groupResource, roleRef.name);
  checkHeld(core, request, rules);
}

async function may(core: Core, { user, namespace }: AdmissionOfObject, verb: string, role: { resource: string; name: string }): Promise<boolean> {
  const { allowed } = await core.authorizer.authorize({ user, verb, group: RBAC_GROUP, namespace, ...role });
  return allowed;
}

function missing(core: Core, { user, namespace }: AdmissionOfObject, rules: readonly PolicyRule[]): readonly PolicyRule[] {
  return missingRules(core.access.rbac.rulesFor(user, namespace).rules, rules);
}

/** A name that is to be generated is not known here, as in upstream's storage. */
function refusedGrant({ scope, name }: AdmissionOfObject, why: string): ApiError {
  return forbidden(scope.groupResource, name, why);
}

function checkHeld(core: Core, request: AdmissionOfObject, rules: readonly PolicyRule[]): void {
  const lacking = missing(core, request, rules);
  if (lacking.length === 0) return;
  const { name, groups } = request.user;
  // Here roles are read from the store, whose refusals name their resource; the authorizer's name their kind.
  const errors = core.access.rbac.rulesFor(request.user, request.namespace).errors.map((error) => error.replace(/^(cluster)?role\./, '$1roles.'));
  const unresolved = errors.length === 0 ? '' : `; resolution errors: [${aggregateText(errors)}]`;
  const who = `user ${goQuote(name)} (groups=${quotedList(groups)})`;
  throw refusedGrant(request, `${who} is attempting to grant RBAC permissions not currently held:\n${describeRules(lacking).join('\n')}${unresolved}`);
}
