/** The routes of resources: which methods a path takes, and in which forms it is written and answered (upstream: endpoints/installer.go). */
import { badRequest, methodNotAllowed, unsupportedMediaType } from '#machinery';
import type { Catalog, Scope } from './catalog.ts';
import { SPECIAL_SUBRESOURCES } from './discovery/resources.ts';
import { checkAnswerable, JSON_AND_YAML } from './http/accept.ts';
import type { ServerRequest } from './http/message.ts';
import type { ResourceTarget } from './http/request-info.ts';
import { mediaType } from './registry/decode.ts';
import { PATCH_TYPES } from './registry/patch.ts';
import { findReview } from './reviews/reviews.ts';

/** Method by verb of what is listed by discovery. */
const METHODS: Readonly<Record<string, string>> = { create: 'POST', get: 'GET', update: 'PUT', patch: 'PATCH', delete: 'DELETE' };
const CREATED_ONLY: readonly string[] = ['POST'];
const COLLECTION: readonly string[] = ['GET', 'POST', 'DELETE'];
/** Namespaces are deleted one by one. */
const COLLECTION_OF_NAMESPACES: readonly string[] = ['GET', 'POST'];
const ACROSS_NAMESPACES: readonly string[] = ['GET'];
const WATCHED: readonly string[] = ['GET'];
const OBJECT: readonly string[] = ['GET', 'PUT', 'PATCH', 'DELETE'];
const OBJECT_SUBRESOURCE: readonly string[] = ['GET', 'PUT', 'PATCH'];

/**
 * Refuses what has no route as upstream's router does, in its order: 405 for other methods, 415 for other patches, 406 for other forms
 * of answers, 400 for names that no object can have. False where nothing is at the path.
 */
export function checkRoute(catalog: Catalog, target: ResourceTarget, { method, headers }: ServerRequest): boolean {
  const methods = methodsOf(catalog, target);
  if (methods === undefined) return false;
  if (!methods.includes(method)) throw methodNotAllowed();
  const patchTypes: readonly string[] = PATCH_TYPES;
  if (method === 'PATCH' && !patchTypes.includes(mediaType(headers['content-type']))) throw unsupportedMediaType();
  if (!answersInText(target)) checkAnswerable(headers['accept'], target.verb === 'list' || target.verb === 'watch' ? LIST_TYPES : JSON_AND_YAML);
  checkName(target.name);
  return true;
}

const LIST_TYPES: readonly string[] = [...JSON_AND_YAML, 'application/json;stream=watch'];

function answersInText({ subresource }: ResourceTarget): boolean {
  return subresource === 'log';
}

/** Upstream: path.IsValidPathSegmentName. */
function checkName(name: string): void {
  const why = name === '.' || name === '..' ? `may not be '${name}'` : name.includes('%') ? "may not contain '%'" : undefined;
  if (why !== undefined) throw badRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${why}`);
}

function methodsOf(catalog: Catalog, target: ResourceTarget): readonly string[] | undefined {
  const { verb, group, version, plural, name, subresource, namespace } = target;
  if (name === '' && subresource !== '') return undefined;
  const scope = catalog.find(group, version, plural);
  if (scope === undefined) return isCreatedOnly(target) ? CREATED_ONLY : undefined;
  const { kind } = scope;
  // A namespace is its own place: /namespaces/NAME names it, and nothing cluster-scoped lives below one.
  if (namespace !== '' && !kind.namespaced) return undefined;
  if (namespace === '' && kind.namespaced) return name === '' ? ACROSS_NAMESPACES : undefined;
  // What shows the object of a subresource is for others than a watch of the object.
  if (verb === 'watch') return subresource === '' ? WATCHED : undefined;
  if (subresource !== '') return methodsOfSubresource(scope, subresource);
  if (name !== '') return OBJECT;
  return kind.group === '' && kind.plural === 'namespaces' ? COLLECTION_OF_NAMESPACES : COLLECTION;
}

function methodsOfSubresource({ kind }: Scope, subresource: string): readonly string[] | undefined {
  const special = kind.group === '' ? SPECIAL_SUBRESOURCES[kind.plural]?.find(({ name }) => name === subresource) : undefined;
  if (special !== undefined) return special.verbs.map((verb) => METHODS[verb] ?? '');
  return kind.subresources.includes(subresource) ? OBJECT_SUBRESOURCE : undefined;
}

/** Reviews, and bindings, which are an older way to bind pods. */
function isCreatedOnly(target: ResourceTarget): boolean {
  const { group, version, plural, name, namespace } = target;
  if (name !== '') return false;
  if (group === '' && version === 'v1' && plural === 'bindings') return namespace !== '';
  // Elsewhere the right to everything in a namespace would be one to learn of the whole cluster.
  return findReview(target)?.kind.namespaced === (namespace !== '');
}
