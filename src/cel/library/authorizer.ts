/** The authorizer's functions (apiserver pkg/cel/library/authz.go): declared as everywhere in Kubernetes, of no use without its variable. */
import { type AnyKind, builtIn, declare, type FunctionDeclaration } from '../declarations.ts';
import * as t from '../types.ts';

const AUTHORIZER = t.object('kubernetes.authorization.Authorizer');
const PATH_CHECK = t.object('kubernetes.authorization.PathCheck');
const GROUP_CHECK = t.object('kubernetes.authorization.GroupCheck');
const RESOURCE_CHECK = t.object('kubernetes.authorization.ResourceCheck');
const DECISION = t.object('kubernetes.authorization.Decision');

/** There are no values of these types. */
const never = (type: t.Type): AnyKind => ({ type, is: () => false });

function method(id: string, receiver: t.Type, args: readonly t.Type[], result: t.Type): ReturnType<typeof builtIn> {
  return builtIn('member', id, [receiver, ...args].map(never), result);
}

/** All of them. */
export const AUTHORIZERS: readonly FunctionDeclaration[] = [
  declare('path', method('authorizer_path', AUTHORIZER, [t.STRING], PATH_CHECK)),
  declare('group', method('authorizer_group', AUTHORIZER, [t.STRING], GROUP_CHECK)),
  declare('serviceAccount', method('authorizer_serviceaccount', AUTHORIZER, [t.STRING, t.STRING], AUTHORIZER)),
  declare('resource', method('groupcheck_resource', GROUP_CHECK, [t.STRING], RESOURCE_CHECK)),
  declare('subresource', method('resourcecheck_subresource', RESOURCE_CHECK, [t.STRING], RESOURCE_CHECK)),
  declare('namespace', method('resourcecheck_namespace', RESOURCE_CHECK, [t.STRING], RESOURCE_CHECK)),
  declare('name', method('resourcecheck_name', RESOURCE_CHECK, [t.STRING], RESOURCE_CHECK)),
  declare('check', method('pathcheck_check', PATH_CHECK, [t.STRING], DECISION), method('resourcecheck_check', RESOURCE_CHECK, [t.STRING], DECISION)),
  declare('errored', method('decision_errored', DECISION, [], t.BOOL)),
  declare('error', method('decision_error', DECISION, [], t.STRING)),
  declare('allowed', method('decision_allowed', DECISION, [], t.BOOL)),
  declare('reason', method('decision_reason', DECISION, [], t.STRING)),
  declare('fieldSelector', method('authorizer_fieldselector', RESOURCE_CHECK, [t.STRING], RESOURCE_CHECK)),
  declare('labelSelector', method('authorizer_labelselector', RESOURCE_CHECK, [t.STRING], RESOURCE_CHECK)),
];
