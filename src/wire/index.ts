/**
 * wire: the messages of the gRPC services on a node, generated from proto/ (tools/generate-wire.ts), and the thin glue that
 * gives a transport of bytes typed calls.
 *
 * Each service is a namespace here because v1 and v1beta1 name their messages alike. Nothing in this layer knows sockets:
 * `ports` carries bytes, `callUnary` and `unary` put messages into them.
 */
export { toBinary as encode, create, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
export { type ByteCaller, type ByteMethod, callStream, callUnary, methodPath, serverStream, unary } from './calls.ts';
export * as draHealthV1 from './gen/dra-health-v1_pb.ts';
export * as draHealthV1alpha1 from './gen/dra-health-v1alpha1_pb.ts';
export * as draV1 from './gen/dra-v1_pb.ts';
export * as draV1beta1 from './gen/dra-v1beta1_pb.ts';
export * as openApiV2 from './gen/openapi-v2_pb.ts';
export * as podResourcesV1 from './gen/pod-resources-v1_pb.ts';
export * as registrationV1 from './gen/pluginregistration-v1_pb.ts';
