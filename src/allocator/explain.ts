/** Why claims do not fit on a node, request by request and device by device: computed on demand, from the same checks as the search. */
import { keyOf } from '#machinery';
import { type DeviceEntry, type DeviceId, deviceId, poolId } from './device.ts';
import type { Effort } from './effort.ts';
import type { Ledger } from './ledger.ts';
import { AllocationError, type DeviceReason, NodeError, type RequestRefusal } from './refusal.ts';
import type { Candidate, DeviceAsk } from './device-ask.ts';
import { Search, type SearchContext } from './search.ts';

/**
 * The reasons for each ask. What a device is refused for while nothing is picked comes first; for the others, what the search met first.
 * The context's attempt is empty, before and afterwards.
 */
export function explainRequests(context: SearchContext, effort: Effort): readonly RequestRefusal[] {
  const searched = reasonsOfSearch(context, effort);
  const holders = holdersIn(context.ledger);
  const asks = context.claims.flatMap(({ requests }) => requests.flatMap((request) => request.asks));
  return asks.map((ask) => {
    const reasons: { device: DeviceId; reason: DeviceReason }[] = [];
    let usable = 0;
    for (const candidate of candidatesOf(context)) {
      const alone = refusalAlone(context, ask, candidate);
      if (alone === undefined) usable++;
      const reason = alone ?? searched.get(ask)?.get(candidate.entry);
      if (reason !== undefined) reasons.push({ device: candidate.entry.id, reason: naming(reason, candidate.entry, holders) });
    }
    return { claim: ask.claimKey, request: ask.name, wanted: ask.count, usable, devices: reasons };
  });
}

function refusalAlone({ attempt }: SearchContext, ask: DeviceAsk, candidate: Candidate): DeviceReason | undefined {
  try {
    return attempt.refusal(ask, candidate);
  } catch (error) {
    if (error instanceof AllocationError) return { kind: 'error', message: error.message };
    throw error;
  }
}

function* candidatesOf({ pools }: SearchContext): Iterable<Candidate> {
  for (const pool of pools) for (const entry of pool.devices) yield { pool, entry };
}

/** Runs the search once more and notes the first reason for each ask and device. */
function reasonsOfSearch(context: SearchContext, effort: Effort): ReadonlyMap<DeviceAsk, ReadonlyMap<DeviceEntry, DeviceReason>> {
  const reasons = new Map<DeviceAsk, Map<DeviceEntry, DeviceReason>>();
  const refused = (ask: DeviceAsk, { entry }: Candidate, reason: DeviceReason): void => {
    const known = reasons.get(ask) ?? new Map<DeviceEntry, DeviceReason>();
    reasons.set(ask, known);
    if (!known.has(entry)) known.set(entry, reason);
  };
  try {
    new Search({ ...context, refused }, effort).run();
  } catch (error) {
    // The limit ended the search before, too; what was noted until then stands.
    if (!(error instanceof NodeError || error instanceof AllocationError)) throw error;
  } finally {
    context.attempt.clear();
  }
  return reasons;
}

function naming(reason: DeviceReason, entry: DeviceEntry, holders: ReadonlyMap<DeviceId, readonly string[]>): DeviceReason {
  return reason.kind === 'allocated' ? { ...reason, by: holders.get(entry.id) ?? [] } : reason;
}

/** The claims that hold each device. */
function holdersIn(ledger: Ledger): ReadonlyMap<DeviceId, readonly string[]> {
  const holders = new Map<DeviceId, string[]>();
  for (const claim of ledger.claims()) {
    for (const result of claim.status?.allocation?.devices?.results ?? []) {
      if (result.adminAccess === true) continue;
      const device = deviceId(poolId(result.driver, result.pool), result.device);
      holders.set(device, [...(holders.get(device) ?? []), keyOf(claim)]);
    }
  }
  return holders;
}
