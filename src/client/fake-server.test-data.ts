/** A transport for tests: answers requests from a script and lets tests feed watches. */
import type { Json } from '#machinery';
import type { Transport, TransportRequest } from './transport.ts';

const encoder = new TextEncoder();

/** A watch that a test feeds line by line. */
export class FakeWatch {
  readonly #chunks: (Uint8Array | undefined)[] = [];
  #wake: () => void = () => undefined;

  /** Sends one event. */
  send(type: string, object: Json): void {
    this.#push(encoder.encode(`${JSON.stringify({ type, object })}\n`));
  }

  /** Ends the watch as the server does. */
  end(): void {
    this.#push(undefined);
  }

  /** The body that the client reads. */
  async *body(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    signal.addEventListener('abort', () => this.end(), { once: true });
    for (;;) {
      while (this.#chunks.length > 0) {
        const chunk = this.#chunks.shift();
        if (chunk === undefined) return;
        yield chunk;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #push(chunk: Uint8Array | undefined): void {
    this.#chunks.push(chunk);
    this.#wake();
  }
}

/** What a scripted server answers: a status and a document, or a watch. */
export type Answer = { readonly status?: number; readonly body: Json } | FakeWatch;

/** A transport that records requests and answers each by `answer`. */
export function fakeServer(answer: (request: TransportRequest) => Answer): { transport: Transport; requests: TransportRequest[] } {
  const requests: TransportRequest[] = [];
  const transport: Transport = (request, signal) => {
    requests.push(request);
    const given = answer(request);
    if (given instanceof FakeWatch) return Promise.resolve({ status: 200, headers: {}, body: given.body(signal) });
    return Promise.resolve({ status: given.status ?? 200, headers: {}, body: once(encoder.encode(JSON.stringify(given.body))) });
  };
  return { transport, requests };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
