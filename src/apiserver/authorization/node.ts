/** The node authorizer: a node agent reads what its pods refer to and writes about itself (upstream: plugin/pkg/auth/authorizer/node). */
import type { PolicyRule, ResourceSlice } from '#api';
import type { UserInfo } from '../http/message.ts';
import { type AuthorizationAttributes, type AuthorizationDecision, type Authorizer, type UserRules } from './attributes.ts';
import type { NodeView, ReferenceKind } from './node-view.ts';
import { ruleAllows } from './rules.ts';

/** The group of node agents. */
export const NODES_GROUP = 'system:nodes';
const USER_PREFIX = 'system:node:';
/** Where nodes keep their heartbeats. */
export const NODE_LEASE_NAMESPACE = 'kube-node-lease';

/** The node whose agent a user is (upstream: nodeidentifier); undefined for everybody else. */
export function nodeNameOf({ name, groups }: UserInfo): string | undefined {
  return name.startsWith(USER_PREFIX) && groups.includes(NODES_GROUP) ? name.slice(USER_PREFIX.length) : undefined;
}

/** What the authorizer reads besides the request. */
export interface NodeFacts {
  readonly view: NodeView;
  /** The rules for what is not divided by node: those of the role system:node. */
  readonly rules: readonly PolicyRule[];
  readonly slice: (name: string) => Promise<ResourceSlice | undefined>;
}

const ALLOWED: AuthorizationDecision = { allowed: true };
const deny = (reason = ''): AuthorizationDecision => ({ allowed: false, reason });

const NAMELESS = 'No Object name found';

type Attributes = Readonly<Record<Exclude<keyof AuthorizationAttributes, 'path' | 'user' | 'fields'>, string>> &
  Required<Pick<AuthorizationAttributes, 'fields'>>;

/** Verbs by subresource of pods. */
const POD_WRITES: ReadonlyMap<string, readonly string[]> = new Map([
  ['', ['create', 'delete']],
  ['status', ['update', 'patch']],
  ['eviction', ['create']],
]);

/** Decides requests of node agents and has no opinion on others. */
export class NodeAuthorizer implements Authorizer {
  readonly #facts: NodeFacts;

  constructor(facts: NodeFacts) {
    this.#facts = facts;
  }

  async authorize(attributes: AuthorizationAttributes): Promise<AuthorizationDecision> {
    const node = nodeNameOf(attributes.user);
    if (node === undefined) return deny();
    if (node === '') return deny(`unknown node for user ${JSON.stringify(attributes.user.name)}`);
    const divided = attributes.path === undefined ? await this.#divided(node, complete(attributes)) : undefined;
    return divided ?? { allowed: this.#facts.rules.some((rule) => ruleAllows(rule, attributes)) };
  }

  rulesFor(user: UserInfo): UserRules {
    const isNode = nodeNameOf(user) !== undefined;
    return { rules: [], incomplete: isNode, errors: isNode ? ['node authorizer does not support user rule resolution'] : [] };
  }

  /** The decision about a resource that each node has its share of; undefined for other resources. */
  #divided(node: string, attributes: Attributes): AuthorizationDecision | Promise<AuthorizationDecision> | undefined {
    switch (`${attributes.resource}.${attributes.group}`) {
      case 'secrets.':
        return this.#readOne(node, 'secrets', attributes);
      case 'configmaps.':
        return this.#readOne(node, 'configmaps', attributes);
      case 'persistentvolumeclaims.':
        return attributes.subresource === 'status' ? this.#volumeClaimStatus(node, attributes) : this.#getOne(node, 'persistentvolumeclaims', attributes);
      case 'resourceclaims.resource.k8s.io':
        return this.#getOne(node, 'resourceclaims', attributes);
      case 'persistentvolumes.':
      case 'volumeattachments.storage.k8s.io':
        return this.#getOne(node, undefined, attributes);
      case 'csinodes.storage.k8s.io':
        return csiNode(node, attributes);
      case 'serviceaccounts.':
        return this.#serviceAccount(node, attributes);
      case 'leases.coordination.k8s.io':
        return lease(node, attributes);
      case 'resourceslices.resource.k8s.io':
        return this.#slice(node, attributes);
      case 'nodes.':
        return ownNode(node, attributes);
      case 'pods.':
        return this.#pod(node, attributes);
      default:
        return undefined;
    }
  }

  /** `kind` undefined: dray has no such objects, so that none is related. */
  #related(node: string, kind: ReferenceKind | undefined, { namespace, name }: Attributes): AuthorizationDecision {
    if (name === '') return deny(NAMELESS);
    return kind !== undefined && this.#facts.view.refersTo(node, kind, namespace, name) ? ALLOWED : deny(unrelated(node));
  }

  #readOne(node: string, kind: ReferenceKind, attributes: Attributes): AuthorizationDecision {
    const { verb, subresource, namespace } = attributes;
    if (!['get', 'list', 'watch'].includes(verb)) return deny('can only read resources of this type');
    if (subresource !== '') return deny('cannot read subresource');
    if (namespace === '') return deny('can only read namespaced object of this type');
    return this.#related(node, kind, attributes);
  }

  #volumeClaimStatus(node: string, attributes: Attributes): AuthorizationDecision {
    if (attributes.verb !== 'update' && attributes.verb !== 'patch') return deny('can only get/update/patch this type');
    return this.#related(node, 'persistentvolumeclaims', attributes);
  }

  #getOne(node: string, kind: ReferenceKind | undefined, attributes: Attributes): AuthorizationDecision {
    if (attributes.verb !== 'get') return deny('can only get individual resources of this type');
    return attributes.subresource === '' ? this.#related(node, kind, attributes) : deny('cannot get subresource');
  }

  #serviceAccount(node: string, attributes: Attributes): AuthorizationDecision {
    const { verb, subresource, name } = attributes;
    if (verb === 'get' && subresource === '') return this.#readOne(node, 'serviceaccounts', attributes);
    if (verb !== 'create' || name === '') return deny('can only create tokens for individual service accounts');
    return subresource === 'token' ? this.#related(node, 'serviceaccounts', attributes) : deny('can only create token subresource of serviceaccount');
  }

  async #slice(node: string, attributes: Attributes): Promise<AuthorizationDecision> {
    const { verb, subresource, name } = attributes;
    if (subresource !== '') return deny('cannot authorize ResourceSlice subresources');
    switch (verb) {
      case 'create':
        // NodeRestriction looks at the new slice.
        return ALLOWED;
      case 'get':
      case 'update':
      case 'patch':
      case 'delete':
        if (name === '') return deny(NAMELESS);
        return (await this.#facts.slice(name))?.spec.nodeName === node ? ALLOWED : deny(unrelated(node));
      case 'list':
      case 'watch':
      case 'deletecollection':
        return selectsNode(attributes, node) ? ALLOWED : deny('can only list/watch/deletecollection resourceslices with nodeName field selector');
      default:
        return deny('only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection');
    }
  }

  #pod(node: string, attributes: Attributes): AuthorizationDecision {
    const { verb, subresource, name } = attributes;
    // NodeRestriction looks at the pods that are written.
    if (POD_WRITES.get(subresource)?.includes(verb) === true) return ALLOWED;
    if (subresource !== '') return deny();
    if (verb === 'get') return this.#related(node, 'pods', attributes);
    if (verb !== 'list' && verb !== 'watch') return deny();
    if (selectsNode(attributes, node)) return ALLOWED;
    return name === '' ? deny('can only list/watch pods with spec.nodeName field selector') : this.#related(node, 'pods', attributes);
  }
}

function complete({ verb, group = '', resource = '', subresource = '', namespace = '', name = '', fields = [] }: AuthorizationAttributes): Attributes {
  return { verb, group, resource, subresource, namespace, name, fields };
}

function unrelated(node: string): string {
  return `no relationship found between node '${node}' and this object`;
}

function selectsNode({ fields = [] }: Attributes, node: string): boolean {
  return fields.some(({ field, op, value }) => field === 'spec.nodeName' && op === '=' && value === node);
}

function lease(node: string, { verb, namespace, name }: Attributes): AuthorizationDecision {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb)) return deny('can only get, create, update, patch, or delete a node lease');
  if (namespace !== NODE_LEASE_NAMESPACE) return deny(`can only access leases in the ${JSON.stringify(NODE_LEASE_NAMESPACE)} system namespace`);
  if (verb !== 'create' && name !== node) return deny('can only access node lease with the same name as the requesting node');
  return ALLOWED;
}

function csiNode(node: string, { verb, subresource, name }: Attributes): AuthorizationDecision {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb)) return deny('can only get, create, update, patch, or delete a CSINode');
  if (subresource !== '') return deny('cannot authorize CSINode subresources');
  if (verb !== 'create' && name !== node) return deny('can only access CSINode with the same name as the requesting node');
  return ALLOWED;
}

function ownNode(node: string, { verb, subresource, name }: Attributes): AuthorizationDecision {
  // NodeRestriction limits writes to the node itself.
  if (subresource === '' && ['create', 'update', 'patch'].includes(verb)) return ALLOWED;
  if (subresource === 'status' && ['update', 'patch'].includes(verb)) return ALLOWED;
  if (subresource !== '' || !['get', 'list', 'watch'].includes(verb)) return deny();
  if (name === node) return ALLOWED;
  return deny(
    name === '' ? `node '${node}' cannot read all nodes, only its own Node object` : `node '${node}' cannot read '${name}', only its own Node object`,
  );
}
