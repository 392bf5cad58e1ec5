/** The calls of a registered driver, whichever version of the service it speaks, with errors that say which driver and why. */
import { asError, type Clock } from '#base';
import { GrpcCode, GrpcError, type GrpcClient } from '#ports';
import { driverText } from './driver-text.ts';
import { callUnary, create, draV1, draV1beta1, methodPath } from '#wire';

/** The services of NodePrepareResources that dray speaks, as drivers advertise them. */
export type DraService = 'v1.DRAPlugin' | 'v1beta1.DRAPlugin';

/** A claim as the calls name it. */
export interface WireClaim {
  readonly namespace: string;
  readonly uid: string;
  readonly name: string;
}

type PrepareAnswers = draV1.NodePrepareResourcesResponse['claims'];
type UnprepareAnswers = draV1.NodeUnprepareResourcesResponse['claims'];

/** A registered driver. Answers of v1beta1 come in the shape of v1, which only adds share IDs. Calls reject with a sentence that names the driver. */
export interface RegisteredDriver {
  prepare(claims: readonly WireClaim[]): Promise<PrepareAnswers>;
  unprepare(claims: readonly WireClaim[]): Promise<UnprepareAnswers>;
}

/** Told of every call that ended; `code` is a grpc status code. */
export type CallObserver = (call: { readonly driver: string; readonly method: string; readonly code: number; readonly seconds: number }) => void;

/** Where and how a driver is called. */
export interface CallTarget {
  readonly driver: string;
  readonly service: DraService;
  readonly client: GrpcClient;
  readonly clock: Clock;
  readonly observe: CallObserver;
}

/** Half of the pod worker's resync, as the kubelet has it (draPluginCallTimeout). */
const CALL_DEADLINE_MS = 45_000;

/** The calls of one instance of a driver. */
export function driverCalls(target: CallTarget): RegisteredDriver {
  const { client, service } = target;
  const options = { deadlineMs: CALL_DEADLINE_MS };
  if (service === 'v1.DRAPlugin') {
    const { nodePrepareResources, nodeUnprepareResources } = draV1.DRAPlugin.method;
    return {
      prepare: async (claims) =>
        (await timed(target, nodePrepareResources, () => callUnary(client, nodePrepareResources, { claims: [...claims] }, options))).claims,
      unprepare: async (claims) =>
        (await timed(target, nodeUnprepareResources, () => callUnary(client, nodeUnprepareResources, { claims: [...claims] }, options))).claims,
    };
  }
  const { nodePrepareResources, nodeUnprepareResources } = draV1beta1.DRAPlugin.method;
  return {
    prepare: async (claims) =>
      asV1((await timed(target, nodePrepareResources, () => callUnary(client, nodePrepareResources, { claims: [...claims] }, options))).claims),
    unprepare: async (claims) =>
      asV1Unprepare((await timed(target, nodeUnprepareResources, () => callUnary(client, nodeUnprepareResources, { claims: [...claims] }, options))).claims),
  };
}

async function timed<T>({ driver, clock, observe }: CallTarget, method: Parameters<typeof methodPath>[0], call: () => Promise<T>): Promise<T> {
  const startMs = clock.monotonicMs();
  const ended = (code: number): void => observe({ driver, method: methodPath(method), code, seconds: (clock.monotonicMs() - startMs) / 1000 });
  try {
    const answer = await call();
    ended(GrpcCode.ok);
    return answer;
  } catch (thrown) {
    const error = asError(thrown);
    const code = error instanceof GrpcError ? error.code : GrpcCode.unknown;
    ended(code);
    throw new Error(`${method.name}: ${failure(driver, code, driverText(error.message))}`, { cause: thrown });
  }
}

function failure(driver: string, code: number, text: string): string {
  if (code === GrpcCode.unavailable) return `the DRA driver ${driver} ended or cannot be reached (${text}); it is asked again when it is back`;
  if (code === GrpcCode.deadlineExceeded) return `the DRA driver ${driver} did not answer within ${CALL_DEADLINE_MS / 1000} s`;
  return `the DRA driver ${driver} answered with an error: ${text}`;
}

function asV1(claims: draV1beta1.NodePrepareResourcesResponse['claims']): PrepareAnswers {
  const entries = Object.entries(claims).map(([uid, { devices, error }]) => {
    const converted = devices.map(({ requestNames, poolName, deviceName, cdiDeviceIds }) => ({ requestNames, poolName, deviceName, cdiDeviceIds }));
    return [uid, { devices: converted, error }] as const;
  });
  return create(draV1.NodePrepareResourcesResponseSchema, { claims: Object.fromEntries(entries) }).claims;
}

function asV1Unprepare(claims: draV1beta1.NodeUnprepareResourcesResponse['claims']): UnprepareAnswers {
  const entries = Object.entries(claims).map(([uid, { error }]) => [uid, { error }] as const);
  return create(draV1.NodeUnprepareResourcesResponseSchema, { claims: Object.fromEntries(entries) }).claims;
}
