/** Which kinds are served under which group, version and plural. */
import { type Kind, KINDS, type KindVersion, schemaOf } from '#api';
import { assert } from '#base';
import { utf8 } from './http/pieces.ts';
import { type GroupVersionKind, type SchemaNode, apiVersionOf } from '#machinery';

/** One served resource: a kind in one of its versions. */
export interface Scope {
  readonly kind: Kind;
  readonly version: KindVersion;
  readonly apiVersion: string;
  readonly gvk: GroupVersionKind;
  readonly schema: SchemaNode;
  /** The group and plural as error texts name them. */
  readonly groupResource: { readonly group: string; readonly resource: string };
  /** Where its objects are kept: every version of a kind shares one place, and so do the two groups of events. */
  readonly storagePrefix: string;
  /** The apiVersion in which they are kept. */
  readonly storageApiVersion: string;
  /** The bytes with which a stored object begins, up to and with the brace that opens its metadata. */
  readonly storedHead: Uint8Array;
}

/** Versions in the order in which clients shall prefer them: GA before beta before alpha, higher before lower. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionRank(a), versionRank(b)];
  return right.stability - left.stability || right.major - left.major || right.minor - left.minor || (a < b ? -1 : 1);
}

function versionRank(version: string): { stability: number; major: number; minor: number } {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return { stability: 0, major: 0, minor: 0 };
  const stability = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1;
  return { stability, major: Number(match[1]), minor: Number(match[3] ?? 0) };
}

/** The served resources, looked up by request paths and walked by discovery. */
export class Catalog {
  readonly #scopes = new Map<string, Scope>();

  /** Takes what `served` allows of `kinds`. */
  constructor(served: (group: string, version: string, plural: string) => boolean, kinds: readonly Kind[] = KINDS) {
    for (const kind of kinds) {
      for (const version of kind.versions) {
        if (served(kind.group, version.version, kind.plural)) this.#add(kind, version);
      }
    }
  }

  #add(kind: Kind, version: KindVersion): void {
    this.#scopes.set(scopeKey(kind.group, version.version, kind.plural), scopeOf(kind, version));
  }

  /** The scope of a request path, undefined when it is not served. */
  find(group: string, version: string, plural: string): Scope | undefined {
    return this.#scopes.get(scopeKey(group, version, plural));
  }

  /** Any served version of a resource, preferred first. */
  findAnyVersion(group: string, plural: string): Scope | undefined {
    return this.versions(group)
      .map((version) => this.find(group, version, plural))
      .find((scope) => scope !== undefined);
  }

  /** Served groups; core ("") first, the others by name. */
  groups(): string[] {
    return [...new Set([...this.#scopes.values()].map((scope) => scope.kind.group))].sort();
  }

  /** Served versions of a group, preferred first. */
  versions(group: string): string[] {
    const scopes = [...this.#scopes.values()].filter((scope) => scope.kind.group === group);
    return [...new Set(scopes.map((scope) => scope.version.version))].sort(compareVersions);
  }

  /** Served resources of a group's version by plural. */
  resources(group: string, version: string): Scope[] {
    const scopes = [...this.#scopes.values()].filter((scope) => scope.kind.group === group && scope.version.version === version);
    return scopes.sort((a, b) => (a.kind.plural < b.kind.plural ? -1 : 1));
  }
}

/** A kind in one of its versions. */
export function scopeOf(kind: Kind, version: KindVersion): Scope {
  const { group, plural } = kind.storedAs ?? kind;
  const storageApiVersion = apiVersionOf({ group, version: kind.storageVersion });
  return {
    kind,
    version,
    apiVersion: apiVersionOf({ group: kind.group, version: version.version }),
    gvk: { group: kind.group, version: version.version, kind: kind.kind },
    schema: schemaOf(version.definition),
    groupResource: { group: kind.group, resource: kind.plural },
    storagePrefix: `/registry/${group === '' ? '' : `${group}/`}${plural}/`,
    storageApiVersion,
    storedHead: utf8(`{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(storageApiVersion)},"metadata":{`),
  };
}

/** The scope of a kind that has one version only. */
export function onlyScopeOf(kind: Kind): Scope {
  const [version] = kind.versions;
  assert(version !== undefined, 'a kind has a version');
  return scopeOf(kind, version);
}

function scopeKey(group: string, version: string, plural: string): string {
  return `${group}/${version}/${plural}`;
}

/** The store key of an object. */
export function storageKey(scope: Scope, namespace: string, name: string): string {
  return scope.kind.namespaced ? `${scope.storagePrefix}${namespace}/${name}` : `${scope.storagePrefix}${name}`;
}

/** The prefix of the keys of a list: one namespace, or all ("" for cluster-scoped kinds and across namespaces). */
export function listPrefix(scope: Scope, namespace: string): string {
  return scope.kind.namespaced && namespace !== '' ? `${scope.storagePrefix}${namespace}/` : scope.storagePrefix;
}
