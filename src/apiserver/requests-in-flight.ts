/** How many requests are answered at a time: beyond that clients are told to come back (upstream: WithMaxInFlightLimit, and who is exempt from API priority and fairness). */
import { tooManyRequests } from '#machinery';
import type { ServerRequest, UserInfo } from './http/message.ts';
import type { RequestInfo } from './http/request-info.ts';

/** Limits of requests that are under way; 0 is none. */
export interface RequestLimits {
  readonly reading: number;
  readonly mutating: number;
}

/** Upstream: the defaults of --max-requests-inflight and --max-mutating-requests-inflight. */
export const DEFAULT_REQUEST_LIMITS: RequestLimits = { reading: 400, mutating: 200 };
/** The flags that set the limits, for those who are refused. */
const FLAGS = { reading: '--max-requests-inflight', mutating: '--max-mutating-requests-inflight' } as const;
/** Upstream: retryAfter of the filter. */
const RETRY_AFTER_SECONDS = 1;
const SUPERUSERS = 'system:masters';
/** Upstream: the flow schema "probes". A server that has much to do is no sick one. */
const PROBES: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);
const READING_VERBS: ReadonlySet<string> = new Set(['get', 'list', 'watch']);
const NOTHING = (): void => undefined;

/** Counts the requests of one API server. */
export class RequestsInFlight {
  readonly #limits: RequestLimits;
  readonly #now = { reading: 0, mutating: 0 };

  constructor(limits: RequestLimits = DEFAULT_REQUEST_LIMITS) {
    this.#limits = limits;
  }

  /**
   * Counts a request until the returned function is called; throws ApiError 429 when there are too many. Watches and logs,
   * which last, probes, administrators, and components of the same process are not counted.
   */
  enter(request: ServerRequest, user: UserInfo, { target, path }: RequestInfo): () => void {
    const lasts = target?.verb === 'watch' || target?.subresource === 'log';
    if (lasts || PROBES.has(path) || request.inProcess === true || user.groups.includes(SUPERUSERS)) return NOTHING;
    const kind = READING_VERBS.has(target?.verb ?? request.method.toLowerCase()) ? 'reading' : 'mutating';
    const limit = this.#limits[kind];
    if (limit > 0 && this.#now[kind] >= limit) {
      const message = `Too many requests, please try again later: ${String(limit)} ${kind} requests are under way, which is the limit (${FLAGS[kind]})`;
      throw tooManyRequests(message, RETRY_AFTER_SECONDS);
    }
    this.#now[kind]++;
    return () => {
      this.#now[kind]--;
    };
  }
}
