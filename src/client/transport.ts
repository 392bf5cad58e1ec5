/** The port between a client and an API server: one HTTP exchange. */

/** A request to an API server; `path` carries the query. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** An answer: status, headers (lower-case names) and the body in pieces as they arrive; a watch's never ends by itself. */
export interface TransportResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Carries a request to the server as one identity. Rejects when no answer came (connection refused, reset). Aborting
 * `signal` ends the exchange, also while the body is being read.
 */
export type Transport = (request: TransportRequest, signal: AbortSignal) => Promise<TransportResponse>;
