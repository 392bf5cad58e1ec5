/** Connects a driver program to its cluster and its machine. */
import type { Clock, Logger, Random } from '#base';
import { RestClient } from '#client';
import { createLogger, NodeHostFiles, systemClock, systemRandom, transportFromKubeconfig, unixGrpc } from '#platform';
import type { Grpc, HostFiles } from '#ports';

/** What DriverPlugin needs from outside, ready to be spread into its options. */
export interface Connection {
  readonly client: RestClient;
  readonly files: HostFiles;
  readonly grpc: Grpc;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Reads the kubeconfig; throws one sentence when it is unusable. `component` names the program in logs and to the server. */
export async function connect(kubeconfigPath: string, component: string): Promise<Connection> {
  const transport = await transportFromKubeconfig(kubeconfigPath);
  const logger = createLogger(component, 'info');
  return {
    client: new RestClient(transport, { userAgent: component }),
    files: new NodeHostFiles(logger),
    grpc: await unixGrpc(),
    clock: systemClock,
    random: systemRandom,
    logger,
  };
}
