/** The API server: from request to response. */
import { deprecationWarning } from '#api';
import { asError } from '#base';
import { ApiError, type FieldRequirement, methodNotAllowed, parseJson, stringifyYaml } from '#machinery';
import { AdmissionChain } from './admission/chain.ts';
import { authenticate } from './authentication.ts';
import { impersonated } from './impersonation.ts';
import { AccessControl } from './authorization/access-control.ts';
import { type AuthorizationAttributes, denied, fieldsOfSelector, requiredValue } from './authorization/attributes.ts';
import { Catalog, type Scope } from './catalog.ts';
import { discovery } from './discovery/discovery.ts';
import { OpenApi } from './discovery/openapi.ts';
import { RequestMetrics, health, version } from './health.ts';
import { type ServerRequest, type ServerResponse, type UserInfo, jsonResponse, textResponse, withWarnings } from './http/message.ts';
import { joined, utf8 } from './http/pieces.ts';
import { negotiate, YAML_TYPE } from './http/accept.ts';
import { type RequestInfo, type ResourceTarget, parseRequestInfo } from './http/request-info.ts';
import { openId } from './openid.ts';
import { podBindingTarget } from './pods.ts';
import { Housekeeping } from './housekeeping.ts';
import { maintenance } from './maintenance.ts';
import type { ApiServerOptions, Core } from './options.ts';
import { refusal, unknownResource } from './refusals.ts';
import { type Call, parseDryRun } from './registry/call.ts';
import { handleCall } from './registry/handle.ts';
import { FieldIndexes } from './registry/field-index.ts';
import { ObjectStore } from './registry/object-store.ts';
import { WatchRounds } from './registry/watch-rounds.ts';
import { RequestsInFlight } from './requests-in-flight.ts';
import { findReview, handleReview, REVIEWS } from './reviews/reviews.ts';

/** A running API server. It listens nowhere: transports hand it requests. */
export interface ApiServer {
  /** Answers one request; never rejects. */
  handle(request: ServerRequest): Promise<ServerResponse>;
  /** Ends watches and background work. The store stays open: whoever opened it closes it. */
  close(): void;
}

/** Creates an API server over a store. The default namespaces are there before the first request is answered. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  return new Server(options);
}

class Server implements ApiServer {
  readonly #core: Core;
  readonly #openApi: OpenApi;
  readonly #metrics: RequestMetrics;
  readonly #housekeeping: Housekeeping;
  readonly #inFlight: RequestsInFlight;
  readonly #closing = new AbortController();

  constructor(options: ApiServerOptions) {
    const catalog = new Catalog(options.served, options.kinds);
    const objects = new ObjectStore(options.store);
    const access = new AccessControl(options, catalog, objects);
    const admission = new AdmissionChain(options.admission);
    const [indexes, rounds] = [new FieldIndexes(objects), new WatchRounds(options.clock)];
    this.#core = { options, catalog, objects, indexes, access, authorizer: access.authorizer, admission, rounds };
    this.#metrics = new RequestMetrics(this.#core);
    this.#openApi = new OpenApi(this.#core);
    this.#housekeeping = new Housekeeping(this.#core);
    this.#inFlight = new RequestsInFlight(options.requestLimits);
  }

  async handle(request: ServerRequest): Promise<ServerResponse> {
    const info = parseRequestInfo(request.method, request.path);
    const warnings: string[] = [];
    const response = await this.#answer(this.#endedByClosing(request, info), info, warnings);
    this.#metrics.count(...this.#labels(info), response.status);
    return withWarnings(wantsYaml(request, response) ? await asYaml(response) : response, warnings);
  }

  /** What lasts ends with the server; to compose a signal costs more than most other requests. */
  #endedByClosing(request: ServerRequest, { target }: RequestInfo): ServerRequest {
    const lasts = target?.verb === 'watch' || target?.subresource === 'log';
    return lasts ? { ...request, signal: AbortSignal.any([request.signal, this.#closing.signal]) } : request;
  }

  /** Verb and resource for the metrics: only names that exist, since anybody may send others. */
  #labels({ method, target }: RequestInfo): [string, string] {
    if (target === undefined) return [METHODS.has(method) || method === 'HEAD' ? method : 'other', ''];
    const exists = findReview(target) !== undefined || this.#core.catalog.find(target.group, target.version, target.plural) !== undefined;
    return [target.verb, exists ? target.plural : ''];
  }

  async #answer(request: ServerRequest, info: RequestInfo, warnings: string[]): Promise<ServerResponse> {
    try {
      await this.#housekeeping.ready();
      const requestor = await authenticate(this.#core, request);
      const attributes = attributesOf(request, info, requestor);
      const user = await impersonated(this.#core, request, attributes);
      const leave = this.#inFlight.enter(request, user, info);
      try {
        await this.#authorize({ ...attributes, user });
        if (info.target === undefined) return await this.#nonResource(request, info);
        return await this.#resource({ request, info, user, target: info.target }, warnings);
      } finally {
        leave();
      }
    } catch (thrown) {
      return this.#failure(thrown, request);
    }
  }

  #failure(thrown: unknown, request: ServerRequest): ServerResponse {
    if (thrown instanceof ApiError) return errorResponse(thrown);
    const error = asError(thrown);
    this.#core.options.logger.error('a request failed', { method: request.method, path: request.path, error: error.stack });
    return jsonResponse(500, refusal(500, 'InternalError', `Internal error occurred: ${error.message}`, { causes: [{ message: error.message }] }).status);
  }

  async #authorize(attributes: AuthorizationAttributes): Promise<void> {
    const { allowed, reason } = await this.#core.authorizer.authorize(attributes);
    if (!allowed) throw denied(attributes, reason);
  }

  async #nonResource(request: ServerRequest, info: RequestInfo): Promise<ServerResponse> {
    const { path } = info;
    if (path === '/version' || path === '/version/') return version(this.#core);
    if (path === '/metrics') return this.#metrics.response();
    const response =
      (await health(this.#core, path, info.query)) ??
      (await maintenance(this.#core, path, request)) ??
      (await openId(this.#core, path, request)) ??
      discovery(this.#core, path, request.headers['accept']) ??
      (await this.#openApi.response(path, request.headers['accept']));
    return response ?? textResponse(404, '404 page not found\n');
  }

  async #resource(input: ResourceInput, warnings: string[]): Promise<ServerResponse> {
    const { request, target: asked } = input;
    const review = findReview(asked);
    if (review !== undefined) return handleReview(this.#core, callOf(input, asked, review, warnings));
    const target = await podBindingTarget(request, asked);
    const scope = this.#core.catalog.find(target.group, target.version, target.plural);
    if (scope === undefined) return this.#unserved(target);
    // A namespace is its own place: /namespaces/NAME names it, and nothing cluster-scoped lives below one.
    if (target.namespace !== '' && !scope.kind.namespaced) throw unknownResource();
    if (target.namespace === '' && scope.kind.namespaced && target.name !== '') throw unknownResource();
    if (!METHODS.has(request.method) || (target.namespace === '' && scope.kind.namespaced && !READ_VERBS.has(target.verb))) throw methodNotAllowed();
    // Upstream registers no route, and so warns of nothing, for subresources that a kind does not have.
    const hasRoute = target.subresource === '' || scope.kind.subresources.includes(target.subresource);
    const deprecation = hasRoute ? deprecationWarning(scope.gvk.group, scope.gvk.version, scope.gvk.kind) : undefined;
    if (deprecation !== undefined) warnings.push(deprecation);
    return handleCall(this.#core, callOf(input, target, scope, warnings));
  }

  /** Below a served group the 404 is a Status, elsewhere plain text, as upstream. */
  #unserved(target: ResourceTarget): ServerResponse {
    const served = this.#core.catalog.groups().includes(target.group) || REVIEWS.some(({ kind }) => kind.group === target.group);
    if (target.group === '' || served) throw unknownResource();
    return textResponse(404, '404 page not found\n');
  }

  close(): void {
    this.#closing.abort(new Error('the API server is closing'));
    this.#core.indexes.stop();
    this.#housekeeping.close();
  }
}

/** HEAD is refused like any method that upstream registers no route for. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
/** Verbs that reach across namespaces. */
const READ_VERBS: ReadonlySet<string> = new Set(['list', 'watch']);

/** A refusal that says when to come back says so in the header, too. */
function errorResponse({ code, status }: ApiError): ServerResponse {
  const response = jsonResponse(code, status);
  const { retryAfterSeconds = 0 } = status.details ?? {};
  return retryAfterSeconds === 0 ? response : { ...response, headers: { ...response.headers, 'retry-after': String(retryAfterSeconds) } };
}

function callOf({ request, info, user }: ResourceInput, target: ResourceTarget, scope: Scope, warnings: string[]): Call {
  const dryRun = target.verb !== 'get' && parseDryRun(target.verb, info.query.getAll('dryRun'));
  return { request, info, target, scope, user, dryRun, warnings, rewritten: [] };
}

interface ResourceInput {
  readonly request: ServerRequest;
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly target: ResourceTarget;
}

function attributesOf({ method }: ServerRequest, { target, path, query }: RequestInfo, user: UserInfo): AuthorizationAttributes {
  if (target === undefined) return { user, verb: method.toLowerCase(), path };
  const { verb, group, plural, subresource, namespace } = target;
  const fields = SELECTING_VERBS.has(verb) ? fieldsOfSelector(query.get('fieldSelector') ?? '') : [];
  const name = target.name || nameSelected(verb, fields);
  // Requests on one namespace are authorized in it (upstream: requestinfo.go).
  const within = group === '' && plural === 'namespaces' ? target.name : namespace;
  return { user, verb, group, resource: plural, subresource, name, namespace: within, fields };
}

/** A list or watch of one name counts as a request for it (upstream: requestinfo.go); names that no path can have do not. */
function nameSelected(verb: string, fields: readonly FieldRequirement[]): string {
  if (verb !== 'list' && verb !== 'watch') return '';
  const name = requiredValue(fields, 'metadata.name') ?? '';
  return name === '.' || name === '..' || /[/%]/.test(name) ? '' : name;
}

/** Whether a JSON answer is for somebody who prefers YAML. */
function wantsYaml({ headers }: ServerRequest, response: ServerResponse): boolean {
  if (response.live === true || response.headers['content-type'] !== 'application/json') return false;
  return negotiate(headers['accept'])?.encoding === 'yaml';
}

async function asYaml(response: ServerResponse): Promise<ServerResponse> {
  const parts: Uint8Array[] = [];
  if (response.body instanceof Uint8Array) parts.push(response.body);
  else for await (const part of response.body) parts.push(part);
  const yaml = await stringifyYaml(parseJson(decoder.decode(joined(parts))));
  return { ...response, headers: { ...response.headers, 'content-type': YAML_TYPE }, body: utf8(yaml) };
}

const decoder = new TextDecoder();

/** Verbs whose field selectors authorizers look at. */
const SELECTING_VERBS: ReadonlySet<string> = new Set(['list', 'watch', 'deletecollection']);
