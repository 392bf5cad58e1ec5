/** A typed client of the Kubernetes API over a Transport. */
import {
  type ApiList,
  type ApiObject,
  apiVersionOf,
  type DeleteOptions,
  errorFromStatus,
  isExpired,
  type Json,
  nameOf,
  parseJson,
  type Status,
  stringifyJson,
} from '#machinery';
import { pathOf, type Resource } from './resource.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';
import { readText, watchEvents, type WatchEvent } from './watch-stream.ts';

/** Which objects a list or watch is about. */
export interface Scope {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** Options of a list. */
export interface ListOptions extends Scope {
  /** Page size; the pages are fetched one after another and joined. */
  readonly limit?: number | undefined;
  /** "0" allows an answer from the server's cache. */
  readonly resourceVersion?: string | undefined;
}

/** Options of a watch. */
export interface WatchOptions extends Scope {
  /** Events after this one. */
  readonly resourceVersion?: string | undefined;
  readonly allowWatchBookmarks?: boolean | undefined;
  /** When the server shall end the watch. */
  readonly timeoutSeconds?: number | undefined;
}

/** A patch and how it is to be read. `apply` is server-side apply, which needs a fieldManager. */
export interface PatchOptions {
  readonly namespace?: string | undefined;
  readonly type: 'json' | 'merge' | 'strategic' | 'apply';
  readonly body: Json;
  readonly subresource?: string | undefined;
  readonly fieldManager?: string | undefined;
  readonly force?: boolean | undefined;
}

/** Options of a delete; uid and resourceVersion are preconditions. */
export interface DeleteRequest {
  readonly namespace?: string | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
}

/** Pages of a list without a limit of its own (client-go: 500). */
const PAGE_SIZE = 500;

const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/**
 * Every method rejects with ApiError when the server refuses, and with the transport's error when no answer came.
 * Nothing is retried here: callers know what is safe to repeat.
 */
export class RestClient {
  readonly #transport: Transport;
  readonly #userAgent: string;

  constructor(transport: Transport, options: { readonly userAgent: string }) {
    this.#transport = transport;
    this.#userAgent = options.userAgent;
  }

  /** Reads one object. */
  get<T extends ApiObject>(resource: Resource<T>, name: string, namespace?: string): Promise<T> {
    return this.#call<T>('GET', pathOf(resource, namespace, name));
  }

  /** All objects of the scope, page after page; items carry apiVersion and kind. resourceVersion is the first page's. */
  async list<T extends ApiObject>(resource: Resource<T>, options: ListOptions = {}): Promise<ApiList<T>> {
    const items: T[] = [];
    let next: string | undefined;
    for (;;) {
      const page = await this.#page(resource, options, next).catch((error: unknown) => {
        if (next !== undefined && isExpired(error)) return undefined;
        throw error;
      });
      // The continue token outlived the history: upstream's pager then reads everything at once.
      if (page === undefined) return typed(resource, await this.#call<ApiList<T>>('GET', pathOf(resource, options.namespace) + scopeQuery(options)));
      for (const item of page.items) items.push(item);
      next = page.metadata.continue;
      if (next === undefined || next === '') return typed(resource, { ...page, items });
    }
  }

  #page<T extends ApiObject>(resource: Resource<T>, options: ListOptions, next: string | undefined): Promise<ApiList<T>> {
    const query = scopeQuery(options, {
      limit: String(options.limit ?? PAGE_SIZE),
      continue: next,
      resourceVersion: next === undefined ? options.resourceVersion : undefined,
    });
    return this.#call<ApiList<T>>('GET', pathOf(resource, options.namespace) + query);
  }

  /** Creates an object; the namespace is the object's. */
  create<T extends ApiObject>(resource: Resource<T>, object: T): Promise<T> {
    return this.#call<T>('POST', pathOf(resource, object.metadata.namespace), named(resource, object));
  }

  /** Replaces an object; a stale metadata.resourceVersion is refused with a conflict. */
  update<T extends ApiObject>(resource: Resource<T>, object: T): Promise<T> {
    return this.#call<T>('PUT', pathOf(resource, object.metadata.namespace, nameOf(object)), named(resource, object));
  }

  /** Replaces an object's status through its status subresource. */
  updateStatus<T extends ApiObject>(resource: Resource<T>, object: T): Promise<T> {
    return this.#call<T>('PUT', pathOf(resource, object.metadata.namespace, nameOf(object), 'status'), named(resource, object));
  }

  /** Patches an object or its subresource. */
  patch<T extends ApiObject>(resource: Resource<T>, name: string, options: PatchOptions): Promise<T> {
    const query = queryOf({ fieldManager: options.fieldManager, force: options.force === true ? 'true' : undefined });
    const url = pathOf(resource, options.namespace, name, options.subresource) + query;
    return this.#call<T>('PATCH', url, options.body, PATCH_TYPES[options.type]);
  }

  /** Deletes an object; resolves once the server accepted, which with finalizers or grace is before it is gone. */
  async delete<T extends ApiObject>(resource: Resource<T>, name: string, options: DeleteRequest = {}): Promise<void> {
    const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy } = options;
    const preconditions = uid === undefined && resourceVersion === undefined ? {} : { preconditions: { ...defined({ uid, resourceVersion }) } };
    const body: DeleteOptions = { apiVersion: 'v1', kind: 'DeleteOptions', ...defined({ gracePeriodSeconds, propagationPolicy }), ...preconditions };
    await this.#call<unknown>('DELETE', pathOf(resource, options.namespace, name), body);
  }

  /** Deletes all objects of the scope. */
  async deleteCollection<T extends ApiObject>(resource: Resource<T>, scope: Scope): Promise<void> {
    await this.#call<unknown>('DELETE', pathOf(resource, scope.namespace) + scopeQuery(scope));
  }

  /** Posts to a subresource that is a kind of its own: a pod's binding or eviction. The namespace is that of `body`. */
  async createSubresource<T extends ApiObject>(resource: Resource<T>, name: string, subresource: 'binding' | 'eviction', body: ApiObject): Promise<void> {
    await this.#call<unknown>('POST', pathOf(resource, body.metadata.namespace, name, subresource), body);
  }

  /** Events from `options.resourceVersion` on, until the server ends the watch or `signal` aborts. */
  async *watch<T extends ApiObject>(resource: Resource<T>, options: WatchOptions, signal: AbortSignal): AsyncGenerator<WatchEvent<T>> {
    const query = scopeQuery(options, {
      watch: 'true',
      resourceVersion: options.resourceVersion,
      allowWatchBookmarks: options.allowWatchBookmarks === true ? 'true' : undefined,
      timeoutSeconds: options.timeoutSeconds === undefined ? undefined : String(options.timeoutSeconds),
    });
    const response = await this.raw({ method: 'GET', path: pathOf(resource, options.namespace) + query, headers: {} }, signal);
    if (response.status !== 200) throw await errorOfResponse(response);
    yield* watchEvents<T>(response.body);
  }

  /** One exchange as it is, with this client's user agent: for logs, discovery and proxies. */
  raw(request: TransportRequest, signal: AbortSignal): Promise<TransportResponse> {
    return this.#transport({ ...request, headers: { accept: 'application/json', 'user-agent': this.#userAgent, ...request.headers } }, signal);
  }

  async #call<R>(method: TransportRequest['method'], url: string, body?: unknown, contentType = 'application/json'): Promise<R> {
    const request: TransportRequest =
      body === undefined ? { method, path: url, headers: {} } : { method, path: url, headers: { 'content-type': contentType }, body: stringifyJson(body) };
    const response = await this.raw(request, NEVER);
    if (response.status < 200 || response.status > 299) throw await errorOfResponse(response);
    // The type is the one that the API declares for this resource; its values are the server's to keep.
    return parseJson(await readText(response.body)) as R;
  }
}

const NEVER = new AbortController().signal;

/** The ApiError of a refused exchange, whose body is read for it; also when that is no Status (a proxy's page). */
export async function errorOfResponse(response: TransportResponse): Promise<Error> {
  const text = await readText(response.body);
  return errorFromStatus(statusOf(text) ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: response.status, message: text.slice(0, 1024) });
}

function statusOf(text: string): Status | undefined {
  try {
    const value: unknown = parseJson(text);
    return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status' ? (value as Status) : undefined;
  } catch {
    return undefined;
  }
}

function named<T extends ApiObject>(resource: Resource<T>, object: T): T {
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

/** Items of a list come without apiVersion and kind; owners, events and printers need them. */
function typed<T extends ApiObject>(resource: Resource<T>, list: ApiList<T>): ApiList<T> {
  return { ...list, items: list.items.map((item) => ({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...item })) };
}

function scopeQuery(scope: Scope, more: Readonly<Record<string, string | undefined>> = {}): string {
  return queryOf({ ...more, labelSelector: scope.labelSelector, fieldSelector: scope.fieldSelector });
}

function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(parameters).flatMap(([key, value]) => (value === undefined || value === '' ? [] : [`${key}=${encodeURIComponent(value)}`]));
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function defined<V>(members: Readonly<Record<string, V | undefined>>): Record<string, V> {
  const kept: Record<string, V> = {};
  for (const [key, value] of Object.entries(members)) if (value !== undefined) kept[key] = value;
  return kept;
}
