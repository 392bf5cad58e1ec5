/** What an API server is made of, and what its parts share. */
import type { Clock, Logger, Metrics, Random } from '#base';
import type { Kind, Node } from '#api';
import type { Store } from '#storage';
import type { AdmissionChain, AdmissionChoice } from './admission/chain.ts';
import type { AccessControl } from './authorization/access-control.ts';
import type { Authorizer } from './authorization/attributes.ts';
import type { AuthorizationMode } from './authorization/modes.ts';
import type { Catalog } from './catalog.ts';
import type { UserInfo } from './http/message.ts';
import type { RequestLimits } from './requests-in-flight.ts';
import type { ServiceAccountOptions } from './service-account-tokens.ts';
import type { Collections } from './registry/collection.ts';
import type { FieldIndexes } from './registry/field-index.ts';
import type { ListImages } from './registry/list-images.ts';
import type { ObjectStore } from './registry/object-store.ts';
import type { WatchRounds } from './registry/watch-rounds.ts';

/** Everything an API server is given. */
export interface ApiServerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What the process measures; /metrics prints all of it. */
  readonly metrics?: Metrics | undefined;
  /** Feature gates by name. */
  readonly gates: ReadonlyMap<string, boolean>;
  /** The kinds that may be served; default: all that dray has. */
  readonly kinds?: readonly Kind[] | undefined;
  /** Which resources are served. */
  readonly served: (group: string, version: string, plural: string) => boolean;
  /** The Kubernetes minor version that is emulated, e.g. "1.36". */
  readonly emulatedVersion: string;
  /** The user of a bearer token, undefined for a token nobody has. */
  readonly authenticateToken?: ((token: string) => UserInfo | undefined) | undefined;
  /** Admission plugins that run, or do not. */
  readonly admission?: AdmissionChoice | undefined;
  /** Issues and believes tokens of service accounts; without it there are none. */
  readonly serviceAccounts?: ServiceAccountOptions | undefined;
  /** Whether requests without credentials are served as system:anonymous (default, as upstream) or refused with 401. */
  readonly anonymousAuth?: boolean | undefined;
  /** Whether containers may be privileged (upstream: --allow-privileged); default: they may not. */
  readonly allowPrivileged?: boolean | undefined;
  /** How many requests are answered at a time. */
  readonly requestLimits?: RequestLimits | undefined;
  /** Who is asked whether a request is allowed, in this order; default: Node, RBAC. */
  readonly authorizationModes?: readonly AuthorizationMode[] | undefined;
  /** Problems of a CEL device selector; `stored` admits what only stored expressions may use. */
  readonly celCheck: (expression: string, stored: boolean, gates: ReadonlyMap<string, boolean>) => readonly string[];
  /** The log of a container from the agent of its node; the query carries namespace, pod and kubectl's options, the signal ends it. */
  readonly podLogs?: ((node: Node, query: URLSearchParams, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>) | undefined;
}

/** What the handlers of one API server share. */
export interface Core {
  readonly options: ApiServerOptions;
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly indexes: FieldIndexes;
  readonly collections: Collections;
  readonly images: ListImages;
  readonly access: AccessControl;
  readonly authorizer: Authorizer;
  readonly admission: AdmissionChain;
  readonly rounds: WatchRounds;
}

/** The last moment that RFC 3339 can name; periods of grace are as long as users want them. */
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59);

/** Now as metadata and conditions carry it: RFC 3339 in UTC with whole seconds. */
export function timestamp(nowMs: number): string {
  const second = Math.floor(Math.max(0, Math.min(nowMs, LAST_MS)) / 1000);
  // A write asks several times within the same second.
  if (second !== latest.second) latest = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` };
  return latest.text;
}

let latest = { second: 0, text: '1970-01-01T00:00:00Z' };
