/** The client's Transport straight into an API server of the same process, as one identity. */
import type { ApiServer, ServerResponse, UserInfo } from '#apiserver';
import type { Transport } from '#client';

const encoder = new TextEncoder();
const NO_BODY = new Uint8Array(0);

/**
 * Requests enter the same function that HTTPS requests enter, already authenticated as `user`: a component that runs
 * inside `dray up` is authorized, admitted and watched like any other.
 */
export function memoryTransport(apiServer: ApiServer, user: UserInfo): Transport {
  return async (request, signal) => {
    signal.throwIfAborted();
    const response = await apiServer.handle({
      method: request.method,
      path: request.path,
      headers: request.headers,
      body: request.body === undefined ? NO_BODY : encoder.encode(request.body),
      user,
      inProcess: true,
      signal,
    });
    return { status: response.status, headers: response.headers, body: pieces(response.body) };
  };
}

async function* pieces(body: ServerResponse['body']): AsyncIterable<Uint8Array> {
  if (body instanceof Uint8Array) {
    yield body;
    return;
  }
  yield* body;
}
