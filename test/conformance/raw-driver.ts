/** A driver written on bare gRPC: it says and does exactly what a test wants. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { unixGrpc } from '#platform';
import { type GrpcMethod, GrpcCode, GrpcError } from '#ports';
import { draV1, draV1beta1, registrationV1, unary } from '#wire';

/** What the driver says of itself; `versions` are the services it advertises. */
export interface RawDriverOptions {
  readonly rootDir: string;
  readonly driver: string;
  /** Tells instances of one driver apart. */
  readonly instance?: string;
  readonly versions: readonly string[];
  readonly more?: readonly GrpcMethod[];
  /** Answers the first so many positive notifications with an error. */
  readonly refusals?: number;
}

/** A running raw driver and what it was told and asked, in order. */
export interface RawDriver {
  readonly calls: readonly string[];
  /** Takes only the registration socket away. */
  unregister(): Promise<void>;
  stop(): Promise<void>;
}

/** Serves both sockets. */
export async function startRawDriver({ rootDir, driver, instance = '', versions, more = [], refusals = 0 }: RawDriverOptions): Promise<RawDriver> {
  const grpc = await unixGrpc();
  const calls: string[] = [];
  const endpoint = `${rootDir}/plugins/${driver}/dra${instance}.sock`;
  const registration = `${rootDir}/plugins_registry/${driver}${instance}-reg.sock`;
  for (const path of [endpoint, registration]) mkdirSync(dirname(path), { recursive: true });
  const device = (version: string) => ({ requestNames: ['gpu'], poolName: 'node-a', deviceName: 'gpu-1', cdiDeviceIds: [`example.com/${version}=x`] });
  const prepared = (version: string, claims: readonly { uid: string }[]) => {
    calls.push(`${version} prepare`);
    return { claims: Object.fromEntries(claims.map(({ uid }) => [uid, { devices: [device(version)] }])) };
  };
  const unprepared = (version: string, claims: readonly { uid: string }[]) => {
    calls.push(`${version} unprepare`);
    return { claims: Object.fromEntries(claims.map(({ uid }) => [uid, {}])) };
  };
  const [v1, v1beta1] = [draV1.DRAPlugin.method, draV1beta1.DRAPlugin.method];
  const service = await grpc.serve(endpoint, [
    unary(v1.nodePrepareResources, async ({ claims }) => prepared('v1', claims)),
    unary(v1.nodeUnprepareResources, async ({ claims }) => unprepared('v1', claims)),
    unary(v1beta1.nodePrepareResources, async ({ claims }) => prepared('v1beta1', claims)),
    unary(v1beta1.nodeUnprepareResources, async ({ claims }) => unprepared('v1beta1', claims)),
    ...more,
  ]);
  const { getInfo, notifyRegistrationStatus } = registrationV1.Registration.method;
  let refused = 0;
  const registrar = await grpc.serve(registration, [
    unary(getInfo, async () => ({ type: 'DRAPlugin', name: driver, endpoint, supportedVersions: [...versions] })),
    unary(notifyRegistrationStatus, async ({ pluginRegistered, error }) => {
      calls.push(pluginRegistered ? 'registered' : `refused: ${error}`);
      if (pluginRegistered && refused++ < refusals) throw new GrpcError(GrpcCode.internal, 'not now');
      return {};
    }),
  ]);
  const unregister = (): Promise<void> => registrar.close();
  return {
    calls,
    unregister,
    async stop() {
      await unregister();
      await service.close();
    },
  };
}
