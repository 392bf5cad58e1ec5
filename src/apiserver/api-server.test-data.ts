/** An API server over the memory store for the tests of its parts. */
import { assert, type Clock, type Random, silentLogger } from '#base';
import { featureGates, servedVersions } from '#api';

import type { Json, JsonObject } from '#machinery';
import { MemoryStore } from '#storage';
import type { UserInfo } from './http/message.ts';
import type { ApiServerOptions } from './options.ts';
import { type ApiServer, createApiServer } from './server.ts';

/** A member of system:masters. */
export const ADMIN: UserInfo = { name: 'admin', groups: ['system:masters'] };

/** Time stands still at the start of 2026. */
const clock: Clock = { nowMs: () => Date.parse('2026-01-01T00:00:00Z'), monotonicMs: () => 0, setTimer: () => () => {} };

function countingRandom(): Random {
  let next = 0;
  return { below: (bound) => next++ % bound, uuid: () => `00000000-0000-4000-8000-${String(next++).padStart(12, '0')}` };
}

/** No controller makes accounts in these tests. */
const WITHOUT_ACCOUNTS = { disabled: ['ServiceAccount'] };

/** An answer with its JSON body. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

/** How a request differs from one of the administrator. */
export interface Sending {
  /** Undefined: only the headers tell. */
  readonly user?: UserInfo | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Serves 1.36, and takes pods without accounts, unless `options` say otherwise. */
export class TestServer {
  readonly server: ApiServer;

  constructor(options: Partial<ApiServerOptions> = {}) {
    const release = { gates: featureGates('1.36'), served: servedVersions('1.36'), emulatedVersion: '1.36' };
    this.server = createApiServer({
      store: new MemoryStore(),
      clock,
      random: countingRandom(),
      logger: silentLogger,
      ...release,
      celCheck: () => [],
      admission: WITHOUT_ACCOUNTS,
      ...options,
    });
  }

  /** Sends one request whose answer is a JSON object; PATCH sends a merge patch. */
  async send(method: string, path: string, body?: Json, sending: Sending = {}): Promise<Answer> {
    const { headers = {} } = sending;
    const user = 'user' in sending ? sending.user : ADMIN;
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const bytes = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body));
    const request = { method, path, headers: { 'content-type': type, ...headers }, body: bytes, user, signal: new AbortController().signal };
    const response = await this.server.handle(request);
    assert(response.body instanceof Uint8Array, 'the answer is whole');
    return { status: response.status, headers: response.headers, body: JSON.parse(new TextDecoder().decode(response.body)) as JsonObject };
  }

  /** Sends what must succeed. */
  async must(method: string, path: string, body?: Json, sending?: Sending): Promise<JsonObject> {
    const answer = await this.send(method, path, body, sending);
    assert(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
}
