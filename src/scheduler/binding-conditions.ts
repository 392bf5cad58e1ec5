/** Devices that must be made ready before a pod may be bound (KEP 5007): what their conditions say. */
import type { AllocatedDeviceStatus, DeviceRequestAllocationResult, ResourceClaim } from '#api';
import { nameOf } from '#machinery';

/** Upstream's default of DynamicResourcesArgs.bindingTimeout. */
export const DEFAULT_BINDING_TIMEOUT_MS = 600_000;

/** How far the devices of an allocated claim are. */
export type BindingState =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'timed-out'; readonly message: string };

/** Whether any device of the claim has conditions to wait for. */
export function hasBindingConditions(claim: ResourceClaim): boolean {
  return resultsOf(claim).some(isConditional);
}

/** The state of a claim's devices at `nowMs`; a failure wins over waiting, waiting over readiness. */
export function bindingState(claim: ResourceClaim, nowMs: number, timeoutMs: number): BindingState {
  const conditional = resultsOf(claim).filter(isConditional);
  if (conditional.length === 0) return { kind: 'ready' };
  for (const result of conditional) {
    const failure = (result.bindingFailureConditions ?? []).map((type) => conditionOf(claim, result, type)).find((condition) => condition?.status === 'True');
    if (failure !== undefined) {
      return {
        kind: 'failed',
        message: `device binding failed: claim=${nameOf(claim)}, reason=${failure.reason ?? ''}, message=${JSON.stringify(failure.message ?? '')}`,
      };
    }
  }
  const ready = conditional.every((result) => (result.bindingConditions ?? []).every((type) => conditionOf(claim, result, type)?.status === 'True'));
  if (ready) return { kind: 'ready' };
  const since = Date.parse(claim.status?.allocation?.allocationTimestamp ?? '');
  if (since + timeoutMs < nowMs) return { kind: 'timed-out', message: `device binding timeout: claim=${nameOf(claim)}` };
  return { kind: 'waiting' };
}

function resultsOf(claim: ResourceClaim): readonly DeviceRequestAllocationResult[] {
  return claim.status?.allocation?.devices?.results ?? [];
}

function isConditional(result: DeviceRequestAllocationResult): boolean {
  return (result.bindingConditions ?? []).length > 0;
}

function conditionOf(
  claim: ResourceClaim,
  result: DeviceRequestAllocationResult,
  type: string,
): NonNullable<AllocatedDeviceStatus['conditions']>[number] | undefined {
  const device = (claim.status?.devices ?? []).find(
    (status) => status.driver === result.driver && status.pool === result.pool && status.device === result.device,
  );
  return device?.conditions?.find((condition) => condition.type === type);
}
