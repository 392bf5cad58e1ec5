/** /openapi/v3 (an index with hashed addresses, one document per group and version) and /openapi/v2, built from the kinds' definitions. */
import { type Describe, describeDefinitions, type OpenApiSchema, definitions } from '#api';
import { type Json, apiVersionOf, stringifyJson } from '#machinery';
import type { Scope } from '../catalog.ts';
import { parseAccept } from '../http/accept.ts';
import { hashOf, tagged } from '../http/entity-tag.ts';
import { type ServerRequest, type ServerResponse, jsonResponse, rawJsonResponse } from '../http/message.ts';
import { utf8 } from '../http/pieces.ts';
import type { Core } from '../options.ts';
import { PATCH_TYPES } from '../registry/patch.ts';
import { scaleScope } from '../registry/scale.ts';
import { openApiV2Document, OPENAPI_V2_PROTOBUF } from './openapi-v2.ts';

const PREFIX = '/openapi/v3';
const TITLE = 'Kubernetes';
const REFERENCE = /"#\/components\/schemas\/([^"]+)"/g;
/** Query parameters of writes that kubectl looks for before it relies on them. */
const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation', 'force'];

/** How the names of the binary forms begin; clients that ask for them take JSON where there is nothing else. */
const OPENAPI_PROTOBUF = 'application/com.github.';
const JSON_RANGES: readonly string[] = ['application/json', 'application/*', '*/*'];
const NOT_ACCEPTABLE: ServerResponse = { status: 406, headers: { vary: 'Accept' }, body: utf8('') };
const YEAR_MS = 365 * 24 * 3600 * 1000;

function acceptsOpenApi({ headers }: ServerRequest): boolean {
  return parseAccept(headers['accept']).some(({ type }) => JSON_RANGES.includes(type) || type.startsWith(OPENAPI_PROTOBUF));
}

/** A document that was asked for by its path. */
interface Addressed {
  readonly path: string;
  readonly document: string;
  readonly query: URLSearchParams;
  readonly request: ServerRequest;
}

type Operation = { readonly [key: string]: Json | undefined };

/** Serves the OpenAPI documents of one API server; each is built once. */
export class OpenApi {
  readonly #core: Core;
  readonly #documents = new Map<string, string>();
  #describe: Promise<Describe> | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Serves /openapi/v2 and all at and below /openapi/v3, undefined for other paths. */
  async response(path: string, query: URLSearchParams, request: ServerRequest): Promise<ServerResponse | undefined> {
    if (path === '/openapi/v2') return this.#version2(request);
    if (path === PREFIX) return jsonResponse(200, { paths: await this.#index() });
    if (!path.startsWith(`${PREFIX}/`)) return undefined;
    const [root, ...rest] = path.slice(PREFIX.length + 1).split('/');
    const [group, version, ...others] = root === 'api' ? ['', ...rest] : rest;
    const document = group === undefined || version === undefined || others.length > 0 ? undefined : await this.#document(group, version);
    if (document === undefined) return { status: 404, headers: {}, body: utf8('') };
    return this.#version3({ path, document, query, request });
  }

  /** A document by its address: with its hash it never changes, with that of another it has moved. */
  #version3({ path, document, query, request }: Addressed): ServerResponse {
    if (!acceptsOpenApi(request)) return NOT_ACCEPTABLE;
    const hash = hashOf(document);
    const asked = query.get('hash') ?? '';
    const response = tagged(request, rawJsonResponse(200, document), hash);
    if (asked === '') return response;
    const { headers } = response;
    if (asked !== hash) return { status: 301, headers: { ...headers, location: `${path}?hash=${hash}` }, body: utf8('') };
    const expires = new Date(this.#core.options.clock.nowMs() + YEAR_MS).toUTCString();
    return { ...response, headers: { ...headers, 'cache-control': 'public, immutable', expires } };
  }

  /** One document of everything. It is large and rarely asked for: made anew for each who does. */
  async #version2(request: ServerRequest): Promise<ServerResponse> {
    if (!acceptsOpenApi(request)) return NOT_ACCEPTABLE;
    const { catalog, options } = this.#core;
    const scopes = catalog.groups().flatMap((group) => catalog.versions(group).flatMap((version) => catalog.resources(group, version)));
    const document = openApiV2Document({
      title: TITLE,
      version: `v${options.emulatedVersion}.0`,
      paths: Object.fromEntries(scopes.flatMap(pathsOf)),
      schemas: schemasOf(scopes, await this.#descriptions()),
    });
    const text = stringifyJson(document);
    const hash = hashOf(text);
    const binary = parseAccept(request.headers['accept']).some(({ type }) => type === OPENAPI_V2_PROTOBUF.asked);
    if (!binary) return tagged(request, rawJsonResponse(200, text), hash);
    const { encodeOpenApiV2 } = await import('./openapi-v2-binary.ts');
    return tagged(request, { status: 200, headers: { 'content-type': OPENAPI_V2_PROTOBUF.answered }, body: encodeOpenApiV2(document) }, hash);
  }

  /** Read when somebody asks first. */
  #descriptions(): Promise<Describe> {
    this.#describe ??= describeDefinitions();
    return this.#describe;
  }

  async #index(): Promise<Json> {
    const entries: [string, Json][] = [];
    for (const group of this.#core.catalog.groups()) {
      for (const version of this.#core.catalog.versions(group)) {
        const path = rootPath(group, version);
        entries.push([path, { serverRelativeURL: `${PREFIX}/${path}?hash=${hashOf((await this.#document(group, version)) ?? '')}` }]);
      }
    }
    return Object.fromEntries(entries);
  }

  async #document(group: string, version: string): Promise<string | undefined> {
    const key = apiVersionOf({ group, version });
    const known = this.#documents.get(key);
    if (known !== undefined) return known;
    const scopes = this.#core.catalog.resources(group, version);
    if (scopes.length === 0) return undefined;
    const document = stringifyJson({
      openapi: '3.0.0',
      info: { title: TITLE, version: `v${this.#core.options.emulatedVersion}.0` },
      paths: Object.fromEntries(scopes.flatMap(pathsOf)),
      components: { schemas: schemasOf(scopes, await this.#descriptions()) },
    });
    this.#documents.set(key, document);
    return document;
  }
}

function rootPath(group: string, version: string): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

/** The definitions of the kinds, their lists, and all that these refer to. */
function schemasOf(scopes: readonly Scope[], describe: Describe): Readonly<Record<string, OpenApiSchema>> {
  const schemas: Record<string, OpenApiSchema> = {};
  const pending = scopes.flatMap((scope) => [scope.version.definition, `${scope.version.definition}List`, ...shownBySubresources(scope)]);
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const schema = definitions[name];
    if (schema === undefined || schemas[name] !== undefined) continue;
    schemas[name] = describe(name, schema);
    for (const match of stringifyJson(schema).matchAll(REFERENCE)) pending.push(match[1] ?? '');
  }
  return schemas;
}

function pathsOf(scope: Scope): [string, Json][] {
  const { kind, version } = scope;
  const root = `/${rootPath(kind.group, version.version)}`;
  const collection = kind.namespaced ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`;
  const named = `${collection}/{name}`;
  const paths: [string, Json][] = [
    [collection, pathItem(scope, ['get', 'post', 'delete'])],
    [named, pathItem(scope, ['get', 'put', 'patch', 'delete'])],
  ];
  if (kind.namespaced) paths.push([`${root}/${kind.plural}`, pathItem(scope, ['get'])]);
  for (const subresource of kind.subresources) {
    paths.push([`${named}/${subresource}`, pathItem(subresource === 'scale' ? scaleScope(scope) : scope, ['get', 'put', 'patch'])]);
  }
  return paths;
}

/** Definitions of other kinds, as which subresources show the objects. */
function shownBySubresources(scope: Scope): readonly string[] {
  return scope.kind.subresources.includes('scale') ? [scaleScope(scope).version.definition] : [];
}

function pathItem(scope: Scope, methods: readonly string[]): Json {
  return Object.fromEntries(methods.map((method) => [method, operation(scope, method)]));
}

/** Upstream's action names by method. */
const ACTIONS: Readonly<Record<string, string>> = { get: 'get', post: 'post', put: 'put', patch: 'patch', delete: 'delete' };

function operation({ gvk, version }: Scope, method: string): Operation {
  const schema = { $ref: `#/components/schemas/${version.definition}` };
  const writes = method !== 'get';
  const parameters = writes
    ? WRITE_PARAMETERS.map((name) => ({ name, in: 'query', schema: { type: name === 'force' ? 'boolean' : 'string', uniqueItems: true } }))
    : [];
  const bodyTypes = method === 'patch' ? PATCH_TYPES : ['application/json'];
  const body = { content: Object.fromEntries(bodyTypes.map((type) => [type, { schema: method === 'patch' ? { type: 'object' } : schema }])) };
  return {
    tags: [`${gvk.group === '' ? 'core' : gvk.group}_${gvk.version}`],
    'x-kubernetes-action': ACTIONS[method],
    'x-kubernetes-group-version-kind': { group: gvk.group, version: gvk.version, kind: gvk.kind },
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(method === 'post' || method === 'put' || method === 'patch' ? { requestBody: body } : {}),
    responses: { '200': { description: 'OK', content: { 'application/json': { schema } } } },
  };
}
