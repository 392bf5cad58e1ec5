/** Typed calls over a transport of bytes: protobuf in, protobuf out. */
import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';

/** What a gRPC connection must offer to be called with messages; the port of gRPC does. */
export interface ByteCaller {
  unary(path: string, request: Uint8Array, options: { readonly deadlineMs: number }): Promise<Uint8Array>;
  serverStream(path: string, request: Uint8Array, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** A served method as the port of gRPC takes it: bytes in, bytes out. */
export type ByteMethod =
  | { readonly kind: 'unary'; readonly path: string; readonly handle: (request: Uint8Array) => Promise<Uint8Array> }
  | { readonly kind: 'serverStream'; readonly path: string; readonly handle: (request: Uint8Array, signal: AbortSignal) => AsyncIterable<Uint8Array> };

/** The :path of a method, `/package.Service/Method`. */
export function methodPath(method: DescMethodUnary | DescMethodServerStreaming): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** Calls a unary method; rejects as the caller's `unary` does. */
export async function callUnary<I extends DescMessage, O extends DescMessage>(
  caller: ByteCaller,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  options: { readonly deadlineMs: number },
): Promise<MessageShape<O>> {
  const bytes = toBinary(method.input, create(method.input, request));
  return fromBinary(method.output, await caller.unary(methodPath(method), bytes, options));
}

/** Opens a server stream; ends when the server ends it, throws as the caller's `serverStream` does. */
export async function* callStream<I extends DescMessage, O extends DescMessage>(
  caller: ByteCaller,
  method: DescMethodServerStreaming<I, O>,
  request: MessageInitShape<I>,
  signal: AbortSignal,
): AsyncGenerator<MessageShape<O>> {
  const bytes = toBinary(method.input, create(method.input, request));
  for await (const message of caller.serverStream(methodPath(method), bytes, signal)) yield fromBinary(method.output, message);
}

/** Serves a unary method. */
export function unary<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  handle: (request: MessageShape<I>) => Promise<MessageInitShape<O>>,
): ByteMethod {
  return {
    kind: 'unary',
    path: methodPath(method),
    handle: async (request) => toBinary(method.output, create(method.output, await handle(fromBinary(method.input, request)))),
  };
}

/** Serves a server stream; aborting `signal` means that the client has gone. */
export function serverStream<I extends DescMessage, O extends DescMessage>(
  method: DescMethodServerStreaming<I, O>,
  handle: (request: MessageShape<I>, signal: AbortSignal) => AsyncIterable<MessageInitShape<O>>,
): ByteMethod {
  return {
    kind: 'serverStream',
    path: methodPath(method),
    async *handle(request, signal) {
      for await (const message of handle(fromBinary(method.input, request), signal)) yield toBinary(method.output, create(method.output, message));
    },
  };
}
