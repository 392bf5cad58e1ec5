/** A driver on node-1 without the kit: the smallest one that prepares claims and tells the health of its devices. */
import { EventEmitter, on } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { unixGrpc } from '#platform';
import { draHealthV1, draV1, type MessageInitShape, registrationV1, serverStream, unary } from '#wire';
import type { SeedCluster } from './cluster.ts';

/** Serves until `stop`; `report` says how a device is from now on. */
export interface HealthDriver {
  report(device: string, healthy: boolean, message: string): void;
  stop(): Promise<void>;
}

type Report = MessageInitShape<typeof draHealthV1.DeviceHealthSchema>;

/** Starts the driver; its devices are those of one pool, published by whoever uses it. */
export async function startHealthDriver(cluster: SeedCluster, driver: string, poolName: string): Promise<HealthDriver> {
  const rootDir = join(cluster.folder, 'nodes', 'node-1');
  const endpoint = join(rootDir, 'plugins', `${driver}.sock`);
  mkdirSync(join(rootDir, 'plugins'), { recursive: true });
  const reports: Report[] = [];
  const reported = new EventEmitter();
  const { nodePrepareResources, nodeUnprepareResources } = draV1.DRAPlugin.method;
  const service = [
    unary(nodePrepareResources, async ({ claims }) => {
      const prepared = claims.map(async ({ namespace, name, uid }) => {
        const results = await cluster.results(namespace, name);
        return [uid, { devices: results.map(({ request, device }) => ({ requestNames: [request], poolName, deviceName: device })) }] as const;
      });
      return { claims: Object.fromEntries(await Promise.all(prepared)) };
    }),
    unary(nodeUnprepareResources, async ({ claims }) => ({ claims: Object.fromEntries(claims.map(({ uid }) => [uid, {}])) })),
    serverStream(draHealthV1.DRAResourceHealth.method.nodeWatchResources, async function* (_request, signal) {
      yield { devices: [...reports] };
      for await (const [report] of on(reported, 'report', { signal })) yield { devices: [report] };
    }),
  ];
  const { getInfo, notifyRegistrationStatus } = registrationV1.Registration.method;
  const info = { type: 'DRAPlugin', name: driver, endpoint, supportedVersions: ['v1.DRAPlugin', 'v1.DRAResourceHealth'] };
  const registration = [unary(getInfo, async () => info), unary(notifyRegistrationStatus, async () => ({}))];
  const grpc = await unixGrpc();
  const servers = [await grpc.serve(endpoint, service), await grpc.serve(join(rootDir, 'plugins_registry', `${driver}-reg.sock`), registration)];
  return {
    report(deviceName, healthy, message) {
      const health = healthy ? draHealthV1.HealthStatus.HEALTHY : draHealthV1.HealthStatus.UNHEALTHY;
      const report = { device: { poolName, deviceName }, health, message, lastUpdatedTime: BigInt(Math.floor(Date.now() / 1000)) };
      reports.push(report);
      reported.emit('report', report);
    },
    async stop() {
      for (const server of servers.reverse()) await server.close();
    },
  };
}
