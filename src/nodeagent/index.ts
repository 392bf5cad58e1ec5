/**
 * nodeagent: what a kubelet does for Dynamic Resource Allocation, with runtimes that need no root.
 *
 * `NodeDrivers` finds drivers by their sockets, follows the health of their devices and wipes the slices of those that stay away; `ClaimManager` prepares the claims of a pod before its first container and
 * unprepares them after its last, remembering in the kubelet's own checkpoint format who uses what; `PodWorker` runs one pod
 * through a `ContainerRuntime` and writes its status; `NodeAgent` ties them to a Node object and the pods bound to it.
 */
export { type CheckpointClaim, CheckpointError, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
export type { LogRequest } from './container-log.ts';
export { ClaimManager, type ClaimManagerOptions } from './claim-manager.ts';
export { claimsOfPod, cdiDevicesFor, type PodClaim } from './pod-claims.ts';
export { NodeAgent, type NodeAgentOptions } from './node-agent.ts';
export { podStatus } from './pod-status.ts';
export { processRuntime } from './process-runtime.ts';
export type { ContainerExit, ContainerHandle, ContainerRuntime, ContainerRequest } from './runtime.ts';
export { simulatedRuntime } from './simulated-runtime.ts';
