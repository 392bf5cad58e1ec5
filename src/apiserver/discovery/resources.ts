/** What discovery tells of each served resource: its verbs and subresources. */
import { SCALE } from '#api';
import type { Catalog, Scope } from '../catalog.ts';
import { REVIEWS } from '../reviews/reviews.ts';

/** A subresource as discovery lists it; its kind may come from another group. */
export interface ServedSubresource {
  readonly name: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly group?: string | undefined;
  readonly version?: string | undefined;
}

/** A resource as discovery lists it. */
export interface ServedResource {
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly ServedSubresource[];
}

const ALL_VERBS: readonly string[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
/** Namespaces are deleted one by one. */
const NAMESPACE_VERBS = ALL_VERBS.filter((verb) => verb !== 'deletecollection');
const OBJECT_SUBRESOURCE_VERBS: readonly string[] = ['get', 'patch', 'update'];

/** Subresources with handlers of their own, by plural; all of the core group. */
export const SPECIAL_SUBRESOURCES: Readonly<Record<string, readonly ServedSubresource[]>> = {
  pods: [
    { name: 'binding', kind: 'Binding', verbs: ['create'] },
    { name: 'eviction', kind: 'Eviction', verbs: ['create'], group: 'policy', version: 'v1' },
    { name: 'log', kind: 'Pod', verbs: ['get'] },
  ],
  serviceaccounts: [{ name: 'token', kind: 'TokenRequest', verbs: ['create'], group: 'authentication.k8s.io', version: 'v1' }],
  namespaces: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
};

const SCALE_KIND = { kind: SCALE.kind, group: SCALE.group, version: SCALE.storageVersion };

/** Resources that are only created and never stored, besides reviews. */
const BINDINGS: ServedResource = {
  plural: 'bindings',
  singular: 'binding',
  kind: 'Binding',
  namespaced: true,
  verbs: ['create'],
  shortNames: [],
  categories: [],
  subresources: [],
};

/** Served groups including those that have only reviews; core ("") first. */
export function servedGroups(catalog: Catalog): string[] {
  return [...new Set([...catalog.groups(), ...REVIEWS.map(({ kind }) => kind.group)])].sort();
}

/** Served versions of a group, preferred first. */
export function servedVersions(catalog: Catalog, group: string): string[] {
  const versions = catalog.versions(group);
  return versions.length === 0 && REVIEWS.some(({ kind }) => kind.group === group) ? ['v1'] : versions;
}

/** Served resources of a group's version by plural. */
export function servedResources(catalog: Catalog, group: string, version: string): ServedResource[] {
  const kinds = catalog.resources(group, version).map(fromScope);
  const reviews = REVIEWS.filter((review) => review.kind.group === group && version === 'v1').map(
    ({ kind: { plural, kind, namespaced, singular } }): ServedResource => {
      return { plural, kind, namespaced, singular, verbs: ['create'], shortNames: [], categories: [], subresources: [] };
    },
  );
  return [...kinds, ...reviews, ...(group === '' && version === 'v1' ? [BINDINGS] : [])].sort((a, b) => (a.plural < b.plural ? -1 : 1));
}

function fromScope({ kind }: Scope): ServedResource {
  const core = kind.group === '';
  const special = core ? (SPECIAL_SUBRESOURCES[kind.plural] ?? []) : [];
  const written = kind.subresources
    .filter((name) => !special.some((subresource) => subresource.name === name))
    .map((name): ServedSubresource => ({ name, verbs: OBJECT_SUBRESOURCE_VERBS, ...(name === 'scale' ? SCALE_KIND : { kind: kind.kind }) }));
  return {
    plural: kind.plural,
    singular: kind.singular,
    kind: kind.kind,
    namespaced: kind.namespaced,
    verbs: core && kind.plural === 'namespaces' ? NAMESPACE_VERBS : ALL_VERBS,
    shortNames: kind.shortNames,
    categories: kind.categories,
    subresources: [...special, ...written].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
