/**
 * reconcile: the loop that every controller shares. Events only say which key to look at; the reconciler reads the world,
 * compares it with what should be, and acts. Failure means the same key again, later; nothing is carried from run to run.
 * Of several processes that do the same, one leads and works (`runAsLeader`).
 */
export { Controller, type ControllerOptions, type Reconciler, type ReconcileResult } from './controller.ts';
export { DEFAULT_LEADER_ELECTION, type LeaderElectionParts, leaderElectionProblem, type LeaderElectionSettings, runAsLeader } from './leader-election.ts';
export { type RetryLimits, WorkQueue, type WorkQueueOptions } from './work-queue.ts';
export { type WorkQueueMetrics, workQueueMetrics } from './work-queue-metrics.ts';
