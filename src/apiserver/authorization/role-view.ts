/** Roles and bindings as the authorizer reads them: in memory, indexed by who they are about, as new as the store. */
import type { ClusterRole, PolicyRule, RoleBinding, Subject } from '#api';
import { RBAC_GROUP } from '#api';
import type { Catalog, Scope } from '../catalog.ts';
import type { UserInfo } from '../http/message.ts';
import type { ObjectStore, StoredObject } from '../registry/object-store.ts';

/** A binding that is about a user, with the subject that makes it so. */
export interface Grant {
  readonly binding: RoleBinding;
  readonly subject: Subject;
  /** Undefined when the role does not exist. */
  readonly rules: readonly PolicyRule[] | undefined;
}

/** Bindings by their keys, for one subject. */
type Bindings = Map<string, { readonly binding: RoleBinding; readonly subject: Subject }>;

/** Keeps roles and bindings as their events come; reads wait for nothing. */
export class RoleView {
  /** By namespace ("" for cluster roles) and name. */
  readonly #rules = new Map<string, readonly PolicyRule[]>();
  /** By namespace ("" for bindings in the whole cluster), then by subject. */
  readonly #bindings = new Map<string, Map<string, Bindings>>();
  readonly #stops: (() => void)[] = [];

  /** Reads what is there and follows what changes. */
  async start(catalog: Catalog, objects: ObjectStore): Promise<void> {
    await this.#follow(catalog, objects, ['roles', 'clusterroles'], (old, now) => this.#changeRole(old, now));
    await this.#follow(catalog, objects, ['rolebindings', 'clusterrolebindings'], (old, now) => this.#changeBinding(old, now));
  }

  /** Ends the view. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  async #follow(catalog: Catalog, objects: ObjectStore, plurals: readonly string[], change: Change): Promise<void> {
    const scopes = plurals.map((plural) => catalog.find(RBAC_GROUP, 'v1', plural)).filter((scope): scope is Scope => scope !== undefined);
    for (const { storagePrefix } of scopes) this.#stops.push(await objects.follow(storagePrefix, change));
  }

  #changeRole(old: StoredObject | undefined, now: StoredObject | undefined): void {
    if (old !== undefined && now === undefined) this.#rules.delete(roleKey(old.object.metadata.namespace ?? '', old.object.metadata.name ?? ''));
    if (now === undefined) return;
    // Both kinds of roles have rules.
    const { metadata, rules } = now.object as ClusterRole;
    this.#rules.set(roleKey(metadata.namespace ?? '', metadata.name ?? ''), rules ?? []);
  }

  #changeBinding(old: StoredObject | undefined, now: StoredObject | undefined): void {
    if (old !== undefined) this.#forget(old.object as RoleBinding);
    if (now !== undefined) this.#remember(now.object as RoleBinding);
  }

  #forget(binding: RoleBinding): void {
    const { namespace = '', name = '' } = binding.metadata;
    const subjects = this.#bindings.get(namespace);
    for (const subject of binding.subjects ?? []) {
      const key = subjectKey(subject, namespace);
      const bindings = subjects?.get(key);
      bindings?.delete(name);
      if (bindings?.size === 0) subjects?.delete(key);
    }
    if (subjects?.size === 0) this.#bindings.delete(namespace);
  }

  #remember(binding: RoleBinding): void {
    const { namespace = '', name = '' } = binding.metadata;
    const subjects = this.#bindings.get(namespace) ?? new Map<string, Bindings>();
    this.#bindings.set(namespace, subjects);
    for (const subject of binding.subjects ?? []) {
      const key = subjectKey(subject, namespace);
      const bindings: Bindings = subjects.get(key) ?? new Map();
      subjects.set(key, bindings);
      bindings.set(name, { binding, subject });
    }
  }

  /** All grants to a user in the whole cluster, then those in `namespace` unless it is "". */
  *grants(user: UserInfo, namespace: string): Generator<Grant> {
    yield* this.#grantsIn('', user);
    if (namespace !== '') yield* this.#grantsIn(namespace, user);
  }

  *#grantsIn(namespace: string, user: UserInfo): Generator<Grant> {
    const subjects = this.#bindings.get(namespace);
    if (subjects === undefined) return;
    for (const key of [`User/${user.name}`, ...user.groups.map((group) => `Group/${group}`)]) {
      for (const { binding, subject } of subjects.get(key)?.values() ?? []) yield { binding, subject, rules: this.rulesOf(binding) };
    }
  }

  /** The rules of the role that a binding refers to, undefined when there is none. */
  rulesOf({ roleRef, metadata }: Pick<RoleBinding, 'roleRef' | 'metadata'>): readonly PolicyRule[] | undefined {
    return this.#rules.get(roleKey(roleRef.kind === 'ClusterRole' ? '' : (metadata.namespace ?? ''), roleRef.name));
  }
}

type Change = (old: StoredObject | undefined, now: StoredObject | undefined) => void;

function roleKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** A service account is a user of a certain name; in a binding of a namespace it is that namespace's by default. */
function subjectKey({ kind, name, namespace = '' }: Subject, bindingNamespace: string): string {
  return kind === 'ServiceAccount' ? `User/system:serviceaccount:${namespace || bindingNamespace}:${name}` : `${kind}/${name}`;
}
