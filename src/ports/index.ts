/**
 * ports: what the outside of dray's node side gives, as interfaces: files of the host, gRPC over unix sockets, processes, the machine.
 *
 * Types and one error class only. `platform` implements them for Node, tests in memory; nobody else knows which it is.
 */
export { type Grpc, type GrpcClient, GrpcCode, GrpcError, type GrpcMethod, type GrpcServer } from './grpc.ts';
export { type DirectoryEntry, type FileStat, type HostFiles, isFileMissing } from './host-files.ts';
export type { MachineFacts } from './machine.ts';
export type { Processes, RunningProcess, ProcessExit, ProcessSpec } from './processes.ts';
