/**
 * filters: whether a pod may run on a node, apart from devices. Pure functions with upstream's order and texts, which the scheduler
 * acts on.
 */
export { nodeRefusal, nodeRefusals } from './node-refusal.ts';
export { allocatableOf } from './resources-fit.ts';
export { podRequests, type ResourceAmounts } from './pod-requests.ts';
