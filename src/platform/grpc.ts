/** gRPC over unix sockets on @grpc/grpc-js. */
import { rm } from 'node:fs/promises';
import * as grpc from '@grpc/grpc-js';
import { asError } from '#base';
import { type Grpc, type GrpcClient, GrpcError, type GrpcMethod, type GrpcServer } from '#ports';

/** Linux allows 108 bytes with the closing NUL; libuv would cut a longer path silently and bind another file. */
const SOCKET_PATH_BYTES_MAX = 107;

/** A driver that restarts is found again within this time (grpc's own maximum is two minutes). */
const RECONNECT_BACKOFF_MAX_MS = 5_000;

/** Servers and clients of this process. */
export class UnixGrpc implements Grpc {
  /** Listens on `socketPath`; a stale socket there is removed first. */
  async serve(socketPath: string, methods: readonly GrpcMethod[]): Promise<GrpcServer> {
    checkSocketPath(socketPath);
    await rm(socketPath, { force: true });
    const server = new grpc.Server();
    for (const [service, members] of byService(methods)) server.addService(definitionOf(members), implementationOf(members, service));
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${socketPath}`, grpc.ServerCredentials.createInsecure(), (error) => (error === null ? resolve() : reject(error)));
    });
    return {
      async close() {
        server.forceShutdown();
        await rm(socketPath, { force: true });
      },
    };
  }

  /** A connection to the server at `socketPath`; dials on first use. */
  connect(socketPath: string): GrpcClient {
    checkSocketPath(socketPath);
    return new UnixGrpcClient(socketPath);
  }
}

function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes > SOCKET_PATH_BYTES_MAX) throw new Error(`socket path ${path} has ${bytes} bytes, the system allows ${SOCKET_PATH_BYTES_MAX}`);
}

class UnixGrpcClient implements GrpcClient {
  readonly #client: grpc.Client;
  #closed = false;

  constructor(socketPath: string) {
    this.#client = new grpc.Client(`unix:${socketPath}`, grpc.credentials.createInsecure(), {
      // A path is no host name: without this every client of one path would share a connection that may be to a removed socket.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': RECONNECT_BACKOFF_MAX_MS,
    });
  }

  unary(path: string, request: Uint8Array, options: { readonly deadlineMs: number }): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const deadline = new Date(Date.now() + options.deadlineMs);
      this.#client.makeUnaryRequest(path, toBuffer, fromBuffer, request, new grpc.Metadata(), { deadline }, (error, response) => {
        if (error !== null) reject(grpcError(error));
        else if (response === undefined) reject(new GrpcError(grpc.status.INTERNAL, 'no response'));
        else resolve(response);
      });
    });
  }

  async *serverStream(path: string, request: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (signal.aborted) return;
    const call = this.#client.makeServerStreamRequest(path, toBuffer, fromBuffer, request);
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      for await (const message of call) yield message;
    } catch (error) {
      if (!signal.aborted) throw grpcError(asError(error));
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  watchConnected(listener: (connected: boolean) => void): void {
    const channel = this.#client.getChannel();
    let known = false;
    const look = (): void => {
      if (this.#closed) return;
      const state = channel.getConnectivityState(true);
      const connected = state === grpc.connectivityState.READY;
      if (connected !== known) {
        known = connected;
        listener(connected);
      }
      channel.watchConnectivityState(state, Infinity, look);
    };
    look();
  }

  close(): void {
    this.#closed = true;
    this.#client.close();
  }
}

function grpcError(error: Error): GrpcError {
  const code = 'code' in error && typeof error.code === 'number' ? error.code : grpc.status.UNKNOWN;
  const details = 'details' in error && typeof error.details === 'string' && error.details !== '' ? error.details : error.message;
  return new GrpcError(code, details.replace(NO_CONNECTION, '$1'));
}

/** What grpc-js says around the reason why there is no connection. */
const NO_CONNECTION = /^No connection established\. Last error: (?:Error: )?(.*?)\. Resolution note: .*$/s;

const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const fromBuffer = (bytes: Buffer): Uint8Array => bytes;

function byService(methods: readonly GrpcMethod[]): Map<string, GrpcMethod[]> {
  return Map.groupBy(methods, (method) => method.path.slice(1, method.path.lastIndexOf('/')));
}

function definitionOf(methods: readonly GrpcMethod[]): grpc.ServiceDefinition {
  const definition: Record<string, grpc.MethodDefinition<Uint8Array, Uint8Array>> = {};
  for (const method of methods) {
    definition[method.path] = {
      path: method.path,
      requestStream: false,
      responseStream: method.kind === 'serverStream',
      requestSerialize: toBuffer,
      requestDeserialize: fromBuffer,
      responseSerialize: toBuffer,
      responseDeserialize: fromBuffer,
    };
  }
  return definition;
}

function implementationOf(methods: readonly GrpcMethod[], service: string): grpc.UntypedServiceImplementation {
  const implementation: grpc.UntypedServiceImplementation = {};
  for (const method of methods) {
    if (!method.path.startsWith(`/${service}/`)) continue;
    implementation[method.path] = method.kind === 'unary' ? unaryHandler(method.handle) : streamHandler(method.handle);
  }
  return implementation;
}

function unaryHandler(handle: (request: Uint8Array) => Promise<Uint8Array>): grpc.handleUnaryCall<Uint8Array, Uint8Array> {
  return (call, callback) => {
    handle(call.request).then(
      (response) => callback(null, response),
      (error: unknown) => callback(serviceError(error)),
    );
  };
}

function streamHandler(
  handle: (request: Uint8Array, signal: AbortSignal) => AsyncIterable<Uint8Array>,
): grpc.handleServerStreamingCall<Uint8Array, Uint8Array> {
  return (call) => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    const pump = async (): Promise<void> => {
      try {
        for await (const message of handle(call.request, gone.signal)) {
          if (gone.signal.aborted) break;
          if (!call.write(message)) await drained(call, gone.signal);
        }
        call.end();
      } catch (error) {
        // The server turns a destroyed stream into the status of the call.
        call.emit('error', serviceError(error));
      }
    };
    void pump();
  };
}

function drained(call: grpc.ServerWritableStream<Uint8Array, Uint8Array>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    call.once('drain', () => resolve());
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function serviceError(thrown: unknown): grpc.StatusObject {
  const error = asError(thrown);
  return { code: error instanceof GrpcError ? error.code : grpc.status.UNKNOWN, details: error.message, metadata: new grpc.Metadata() };
}
