/** The roles and bindings of every cluster (upstream: bootstrappolicy, as 1.36 has it), from data whose rules and roles may depend on feature gates. */
import { type ClusterRole, type ClusterRoleBinding, type PolicyRule, RBAC_GROUP, type Role, type RoleBinding, type Subject } from '#api';
import type { ObjectMeta } from '#machinery';
import data from './default-roles.json' with { type: 'json' };

type Gates = ReadonlyMap<string, boolean>;

interface RuleData extends PolicyRule {
  readonly gate?: string;
}
interface RoleData {
  readonly gate?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Labels of the roles whose rules this role collects. */
  readonly aggregates?: readonly string[];
  readonly rules?: readonly RuleData[];
}
/** Subjects read `Kind:name`, or `ServiceAccount:namespace/name`. */
interface BindingData {
  readonly role: string;
  readonly subjects: readonly string[];
}
/** Names of roles and bindings in namespaces read `namespace/name`. */
interface DefaultRoles {
  readonly clusterRoles: Readonly<Record<string, RoleData>>;
  readonly clusterRoleBindings: Readonly<Record<string, BindingData>>;
  readonly roles: Readonly<Record<string, RoleData>>;
  readonly roleBindings: Readonly<Record<string, BindingData>>;
}

// The file is data of this shape; a test walks all of it.
const DEFAULTS: DefaultRoles = data;
/** On roles and bindings that a later release may complete (upstream: AutoUpdateAnnotationKey). */
export const AUTOUPDATE_ANNOTATION = 'rbac.authorization.kubernetes.io/autoupdate';
const CONTROLLER_PREFIX = 'system:controller:';

/** The cluster roles that the gates leave. */
export function defaultClusterRoles(gates: Gates): readonly ClusterRole[] {
  return entries(DEFAULTS.clusterRoles, gates).map(([name, role]) => ({ metadata: metadataOf(name, role.labels), ...contentOf(role, gates) }));
}

/** Their bindings; each controller's role is bound to the service account of its name. */
export function defaultClusterRoleBindings(gates: Gates): readonly ClusterRoleBinding[] {
  const controllers = entries(DEFAULTS.clusterRoles, gates)
    .map(([name]) => name)
    .filter((name) => name.startsWith(CONTROLLER_PREFIX));
  const theirs = controllers.map((role) => [role, { role, subjects: [`ServiceAccount:kube-system/${role.slice(CONTROLLER_PREFIX.length)}`] }] as const);
  return [...Object.entries(DEFAULTS.clusterRoleBindings), ...theirs].map(([name, { role, subjects }]) => ({
    metadata: metadataOf(name),
    roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: role },
    ...(subjects.length > 0 && { subjects: subjects.map(subjectOf) }),
  }));
}

/** The roles in namespaces. */
export function defaultRoles(gates: Gates): readonly Role[] {
  return entries(DEFAULTS.roles, gates).map(([key, role]) => ({ metadata: namespaced(key), ...contentOf(role, gates) }));
}

/** Their bindings. */
export function defaultRoleBindings(): readonly RoleBinding[] {
  return Object.entries(DEFAULTS.roleBindings).map(([key, { role, subjects }]) => ({
    metadata: namespaced(key),
    roleRef: { apiGroup: RBAC_GROUP, kind: 'Role', name: role },
    subjects: subjects.map(subjectOf),
  }));
}

/** What node agents may do besides what is divided by node: the rules of system:node. */
export function nodeRules(gates: Gates): readonly PolicyRule[] {
  return rulesOf(DEFAULTS.clusterRoles['system:node'], gates);
}

function entries(roles: Readonly<Record<string, RoleData>>, gates: Gates): readonly (readonly [string, RoleData])[] {
  return Object.entries(roles).filter(([, { gate }]) => isOpen(gate, gates));
}

function isOpen(gate: string | undefined, gates: Gates): boolean {
  return gate === undefined || gates.get(gate) === true;
}

function contentOf(role: RoleData, gates: Gates): Pick<ClusterRole, 'rules' | 'aggregationRule'> {
  if (role.aggregates === undefined) return { rules: rulesOf(role, gates) };
  return { aggregationRule: { clusterRoleSelectors: role.aggregates.map((label) => ({ matchLabels: { [label]: 'true' } })) } };
}

function rulesOf(role: RoleData | undefined, gates: Gates): readonly PolicyRule[] {
  return (role?.rules ?? []).filter(({ gate }) => isOpen(gate, gates)).map(({ gate: _gate, ...rule }) => rule);
}

function metadataOf(name: string, labels: Readonly<Record<string, string>> = {}): ObjectMeta {
  return {
    name,
    annotations: { [AUTOUPDATE_ANNOTATION]: 'true' },
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  };
}

function namespaced(key: string): ObjectMeta {
  const [namespace = '', name = ''] = split(key, '/');
  return { ...metadataOf(name), namespace };
}

function subjectOf(text: string): Subject {
  const [kind = '', rest = ''] = split(text, ':');
  if (kind !== 'ServiceAccount') return { apiGroup: RBAC_GROUP, kind, name: rest };
  const [namespace = '', name = ''] = split(rest, '/');
  return { kind, name, namespace };
}

/** The parts before and after the first separator. */
function split(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + 1)];
}
