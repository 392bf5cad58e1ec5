/**
 * platform: the outside world as Node gives it, behind the interfaces the layers below ask for.
 *
 * Clock, randomness, files, processes, sockets, TLS and the database live here and nowhere else, so everything below
 * runs unchanged in a simulator or a browser. Each module implements one port; none decides anything.
 */
export { systemClock } from './clock.ts';
export { type DataDir, openDataDir } from './data-dir.ts';
export { growHeapSparingly } from './heap.ts';
export { NodeHostFiles } from './host-files.ts';
export { connectKubeconfig, httpsTransport, type HttpsTransportOptions, type KubeconfigConnection, transportFromKubeconfig } from './https-transport.ts';
export { createLogger, type LogLevel } from './logger.ts';
export { machineFacts } from './machine.ts';
export { memoryTransport } from './memory-transport.ts';
export { FileTokenKeys } from './token-keys.ts';
export { ChildProcesses } from './processes.ts';
export { systemRandom } from './random.ts';
export type { CertificateRequest, KeyPair } from './certificates.ts';
export { CertificateAuthority } from './tls.ts';
export { listen, type Listener, type ServerTls } from './https-server.ts';
export { type NodeEndpoint, nodeLogReader, serveNodeEndpoint } from './node-endpoint.ts';
export { SqliteStore } from './sqlite-store.ts';
export { unixGrpc } from './unix-grpc.ts';
