/**
 * scheduler: finds a node for each pod and devices for its claims.
 *
 * A pod waits in the queue until its claims exist, is taken when it is its turn, and is decided about by `decide`, a pure
 * function of a snapshot: filters and allocator say what fits where. The decision takes effect at once in the caches
 * (assume), so that the next decision sees the devices as taken, while the API is written in the background: finalizer,
 * allocation and reservation of each claim, then the binding. When a write fails everything is taken back and the pod
 * tried again. A pod that fits nowhere is told so in its condition and an event, and waits for a change that may help.
 */
export { bindingState, hasBindingConditions, type BindingState } from './binding-conditions.ts';
export { CLAIM_FINALIZER } from './claim-binder.ts';
export { parseSchedulerConfiguration, type SchedulerConfiguration, SchedulerConfigurationError } from './configuration.ts';
export { decide, type Decision } from './decide.ts';
export { runScheduler, type SchedulerOptions } from './scheduler.ts';
export type { Snapshot } from './snapshot.ts';
export type { ClaimPlan } from './try-node.ts';
