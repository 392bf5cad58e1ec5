/** The API server: from request to response. */
import { deprecationWarning } from '#api';
import { asError } from '#base';
import { ApiError, badRequest, type FieldRequirement, goQuote, parseDuration, parseJson, stringifyYaml } from '#machinery';
import { AdmissionChain } from './admission/chain.ts';
import { authenticate } from './authentication.ts';
import { impersonated } from './impersonation.ts';
import { AccessControl } from './authorization/access-control.ts';
import { type AuthorizationAttributes, denied, fieldsOfSelector, requiredValue } from './authorization/attributes.ts';
import { Catalog, type Scope } from './catalog.ts';
import { discovery } from './discovery/discovery.ts';
import { servedGroups } from './discovery/resources.ts';
import { rootPaths } from './discovery/root-paths.ts';
import { OpenApi } from './discovery/openapi.ts';
import { RequestMetrics, health, version } from './health.ts';
import { bareText, type ServerRequest, type ServerResponse, type UserInfo, jsonResponse, textResponse, uncached, withWarnings } from './http/message.ts';
import { joined, utf8 } from './http/pieces.ts';
import { ANY_SHAPE, negotiate, NO_SHAPE, YAML_TYPE } from './http/accept.ts';
import { type RequestInfo, type ResourceTarget, parseRequestInfo } from './http/request-info.ts';
import { openId } from './openid.ts';
import { podBindingTarget } from './pods.ts';
import { Housekeeping } from './housekeeping.ts';
import { maintenance } from './maintenance.ts';
import type { ApiServerOptions, Core } from './options.ts';
import { refusal, unknownResource } from './refusals.ts';
import type { Call } from './registry/call.ts';
import { mediaType } from './registry/decode.ts';
import { APPLY_TYPE } from './registry/patch.ts';
import { isDryRun } from './registry/write-options.ts';
import { handleCall } from './registry/handle.ts';
import { Collections } from './registry/collection.ts';
import { FieldIndexes } from './registry/field-index.ts';
import { ListImages } from './registry/list-images.ts';
import { ObjectStore } from './registry/object-store.ts';
import { WatchRounds } from './registry/watch-rounds.ts';
import { RequestsInFlight } from './requests-in-flight.ts';
import { findReview, handleReview } from './reviews/reviews.ts';
import { checkRoute } from './routes.ts';

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
    const [collections, images] = [new Collections(objects), new ListImages()];
    this.#core = { options, catalog, objects, indexes, collections, images, access, authorizer: access.authorizer, admission, rounds };
    this.#metrics = new RequestMetrics(this.#core);
    this.#openApi = new OpenApi(this.#core);
    this.#housekeeping = new Housekeeping(this.#core);
    this.#inFlight = new RequestsInFlight(options.requestLimits);
  }

  async handle(request: ServerRequest): Promise<ServerResponse> {
    const info = parseRequestInfo(request.method, request.path);
    if (info === undefined) return bareText(400, '400 Bad Request');
    const warnings: string[] = [];
    const response = await this.#answer(this.#endedByClosing(request, info), info, warnings);
    this.#metrics.count(...this.#labels(info), response.status);
    return withWarnings(uncached(wantsYaml(request, response) ? await asYaml(response) : response), warnings);
  }

  /** What lasts ends with the server; to compose a signal costs more than most other requests. */
  #endedByClosing(request: ServerRequest, { target }: RequestInfo): ServerRequest {
    const lasts = target?.verb === 'watch' || target?.subresource === 'log';
    return lasts ? { ...request, signal: AbortSignal.any([request.signal, this.#closing.signal]) } : request;
  }

  /** Verb and resource for the metrics: only names that exist, since anybody may send others. */
  #labels({ method, target }: RequestInfo): [string, string] {
    if (target === undefined) return [METHODS.has(method) ? method : 'other', ''];
    const exists = findReview(target) !== undefined || this.#core.catalog.find(target.group, target.version, target.plural) !== undefined;
    return [target.verb, exists ? target.plural : ''];
  }

  async #answer(request: ServerRequest, info: RequestInfo, warnings: string[]): Promise<ServerResponse> {
    try {
      await this.#housekeeping.ready();
      const requestor = await authenticate(this.#core, request, warnings);
      const attributes = attributesOf(request, info, requestor);
      const user = await impersonated(this.#core, request, attributes);
      const leave = this.#inFlight.enter(request, user, info);
      return await countedUntilSent(this.#permitted(request, info, { ...attributes, user }, warnings), leave);
    } catch (thrown) {
      return this.#failure(thrown, request);
    }
  }

  async #permitted(request: ServerRequest, info: RequestInfo, attributes: AuthorizationAttributes, warnings: string[]): Promise<ServerResponse> {
    await this.#authorize(attributes);
    checkTimeout(info);
    const { user } = attributes;
    return info.target === undefined ? this.#nonResource(request, info) : this.#resource({ request, info, user, target: info.target }, warnings);
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

  async #nonResource(request: ServerRequest, { path, query }: RequestInfo): Promise<ServerResponse> {
    if (/^\/version\/*$/.test(path)) return version(this.#core, request);
    if (path === '/metrics') return this.#metrics.response();
    const response =
      (await health(this.#core, path, query)) ??
      (await maintenance(this.#core, path, request)) ??
      (await openId(this.#core, path, request)) ??
      discovery(this.#core, path, request) ??
      (await this.#openApi.response(path, query, request)) ??
      rootPaths(this.#core, path);
    return response ?? this.#unserved(path);
  }

  async #resource(input: ResourceInput, warnings: string[]): Promise<ServerResponse> {
    const { request, info, target: asked } = input;
    if (!checkRoute(this.#core.catalog, asked, request)) return this.#unserved(info.path);
    const review = findReview(asked);
    if (review !== undefined) return handleReview(this.#core, callOf(input, asked, review, warnings));
    const target = await podBindingTarget(request, asked);
    const scope = this.#core.catalog.find(target.group, target.version, target.plural);
    if (scope === undefined) return this.#unserved(info.path);
    const deprecation = deprecationWarning(scope.gvk.group, scope.gvk.version, scope.gvk.kind);
    if (deprecation !== undefined) warnings.push(deprecation);
    return handleCall(this.#core, callOf(input, target, scope, warnings));
  }

  /** Below what upstream's router serves the 404 is a Status, elsewhere plain text. */
  #unserved(path: string): ServerResponse {
    const [empty, root = '', group = ''] = path.split('/');
    const routed = root === 'api' || root === 'version' || (root === 'apis' && group !== '' && servedGroups(this.#core.catalog).includes(group));
    if (empty === '' && routed) throw unknownResource();
    return textResponse(404, '404 page not found\n');
  }

  close(): void {
    this.#closing.abort(new Error('the API server is closing'));
    this.#core.indexes.stop();
    this.#core.collections.stop();
    this.#housekeeping.close();
  }
}

/** Nobody has to wait for long here, but what is no duration is refused (upstream: endpoints/filters/request_deadline.go). */
function checkTimeout({ query, target }: RequestInfo): void {
  const timeout = query.get('timeout') ?? '';
  if (timeout === '' || target?.verb === 'watch' || parseDuration(timeout) !== undefined) return;
  throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${goQuote(timeout)}`);
}

/** Methods that are counted by their names. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** Calls `leave` when the answer failed, or is whole; one in pieces counts until its last piece is out. */
async function countedUntilSent(answering: Promise<ServerResponse>, leave: () => void): Promise<ServerResponse> {
  let sending = false;
  try {
    const response = await answering;
    sending = !(response.body instanceof Uint8Array) && response.live !== true;
    return sending ? { ...response, sent: leave } : response;
  } finally {
    if (!sending) leave();
  }
}

/** A refusal that says when to come back says so in the header, too. */
function errorResponse({ code, status }: ApiError): ServerResponse {
  const response = jsonResponse(code, status);
  const { retryAfterSeconds = 0 } = status.details ?? {};
  return retryAfterSeconds === 0 ? response : { ...response, headers: { ...response.headers, 'retry-after': String(retryAfterSeconds) } };
}

function callOf({ request, info, user }: ResourceInput, target: ResourceTarget, scope: Scope, warnings: string[]): Call {
  const dryRun = isDryRun(target.verb, info.query, target.verb === 'patch' && mediaType(request.headers['content-type']) === APPLY_TYPE);
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
  // What follows a subresource in a path is for the subresource to read.
  const [part] = subresource.split('/');
  return { user, verb, group, resource: plural, subresource: part, name, namespace: within, fields };
}

/** A list or watch of one name counts as a request for it (upstream: requestinfo.go); names that no path can have do not. */
function nameSelected(verb: string, fields: readonly FieldRequirement[]): string {
  if (verb !== 'list' && verb !== 'watch') return '';
  const name = requiredValue(fields, 'metadata.name') ?? '';
  return name === '.' || name === '..' || /[/%]/.test(name) ? '' : name;
}

/** Whether a JSON answer is for somebody who prefers YAML. Errors are themselves, whatever is to be made of objects. */
function wantsYaml({ headers }: ServerRequest, { live, headers: { 'content-type': type }, status }: ServerResponse): boolean {
  if (live === true || type !== 'application/json') return false;
  return negotiate(headers['accept'], status < 400 ? ANY_SHAPE : NO_SHAPE)?.encoding === 'yaml';
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
