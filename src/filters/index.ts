/**
 * filters: whether a pod may run on a node, apart from devices. Pure functions with upstream's order and texts, shared by the scheduler,
 * which acts on them, and by insight, which explains them.
 */
export { nodeRefusal, nodeRefusals } from './node-refusal.ts';
export { allocatableOf } from './resources-fit.ts';
export { podRequests, type ResourceAmounts } from './pod-requests.ts';
