/**
 * allocator: structured allocation, from published devices to a claim's allocation.
 *
 * An `Allocator` answers for all claims of a pod, node by node: an allocation for each of them, a refusal with reasons, or an error of the
 * claims themselves. It decides purely: what is published comes from a PoolIndex, what is in use from a Ledger, both kept up to date by the caller
 * event by event; time and machine play no part.
 *
 * The parts follow the concepts: `pools` and `pool-view` (which slices make a usable pool for a node), `ledger` (what is in use),
 * `requests` and `device-ask` (what is asked for), `eligibility` (selectors), `constraints`, `counters`, `capacity` with `offers` and `share`, `taints` (what a device may
 * be refused for), `attempt` (a device is taken with all consequences or not at all), `search` (the order of trial), `prospects` with `matching` (which
 * branches cannot end well), `result`, `refusal` and `explain` (why not).
 * All follow one law: a refused step changes nothing, and undoing a step restores exactly what was.
 */
export { Allocator, type AllocateOutcome, type AllocatorInput } from './allocate.ts';
export type { DeviceId, PoolId } from './device.ts';
export { EFFORT_MAX } from './effort.ts';
export { type Features, featuresFromGates, NO_FEATURES } from './features.ts';
export { Ledger } from './ledger.ts';
export type { NodeView } from './node-match.ts';
export type { NodePool } from './pool-view.ts';
export { PoolIndex } from './pools.ts';
export { countReasons, type ReasonCount, reasonText } from './reason-text.ts';
export type { Cause, DeviceReason, PoolProblem, Refusal, RequestRefusal } from './refusal.ts';
export { ALLOCATION_RESULTS_MAX_SIZE } from './requests.ts';
export { tolerates, untoleratedTaint } from './taints.ts';
