/** The authorizers of one API server and the views that they read. */
import type { ResourceSlice } from '#api';
import type { Catalog } from '../catalog.ts';
import type { ApiServerOptions } from '../options.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import type { Authorizer } from './attributes.ts';
import { nodeRules } from './default-roles.ts';
import { ALWAYS_ALLOW, ALWAYS_DENY, type AuthorizationMode, UnionAuthorizer } from './modes.ts';
import { NodeAuthorizer } from './node.ts';
import { NodeView } from './node-view.ts';
import { RbacAuthorizer } from './rbac.ts';
import { RoleView } from './role-view.ts';

/** Upstream's usual --authorization-mode. */
const DEFAULT_MODES: readonly AuthorizationMode[] = ['Node', 'RBAC'];

/** Who may do what, kept up to date from the store. */
export class AccessControl {
  readonly authorizer: Authorizer;
  /** Also read by those who grant rights, whatever the modes. */
  readonly roles = new RoleView();
  /** What roles allow, whatever the modes. */
  readonly rbac = new RbacAuthorizer(this.roles);
  readonly #nodes = new NodeView();
  readonly #modes: readonly AuthorizationMode[];
  readonly #catalog: Catalog;
  readonly #objects: ObjectStore;

  constructor({ authorizationModes = DEFAULT_MODES, gates }: Pick<ApiServerOptions, 'authorizationModes' | 'gates'>, catalog: Catalog, objects: ObjectStore) {
    this.#modes = authorizationModes;
    this.#catalog = catalog;
    this.#objects = objects;
    const authorizers: Readonly<Record<AuthorizationMode, () => Authorizer>> = {
      AlwaysAllow: () => ALWAYS_ALLOW,
      AlwaysDeny: () => ALWAYS_DENY,
      RBAC: () => this.rbac,
      Node: () => new NodeAuthorizer({ view: this.#nodes, rules: nodeRules(gates), slice: (name) => this.#slice(name) }),
    };
    this.authorizer = new UnionAuthorizer(authorizationModes.map((mode) => authorizers[mode]()));
  }

  /** Reads roles, bindings and pods, and follows them from now on. */
  async start(): Promise<void> {
    await this.roles.start(this.#catalog, this.#objects);
    if (this.#modes.includes('Node')) await this.#nodes.start(this.#catalog, this.#objects);
  }

  /** Ends that. */
  stop(): void {
    this.roles.stop();
    this.#nodes.stop();
  }

  async #slice(name: string): Promise<ResourceSlice | undefined> {
    const scope = this.#catalog.findAnyVersion('resource.k8s.io', 'resourceslices');
    // Stored slices have the form of v1.
    return scope === undefined ? undefined : ((await this.#objects.get(scope, '', name))?.object as ResourceSlice | undefined);
  }
}
