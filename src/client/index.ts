/**
 * client: how every component, dray's own and a user's, talks to an API server.
 *
 * At the bottom is a `Transport`, one HTTP exchange as one identity; `platform` gives one over TLS and one straight into a
 * server of the same process. `RestClient` types it, `Informer` keeps a local copy of a collection in step with the server
 * (list, then watch, over and over) and tells handlers what changed; its `lister` answers reads synchronously. Writes go to
 * the server and come back as events: a component that must see its own write at once keeps that knowledge itself.
 */
export { Backoff, type BackoffLimits, REFLECTOR_BACKOFF } from './backoff.ts';
export { EventRecorder, type EventRecorderOptions, type Occurrence } from './event-recorder.ts';
export { type Handler, Informer, type InformerOptions } from './informer.ts';
export { type KubeConnection, KubeconfigError, parseKubeconfig } from './kubeconfig.ts';
export { type IndexFunction, IndexedStore, type Lister } from './lister.ts';
export { reflect, type ReflectorOptions, type ReflectorSink } from './reflector.ts';
export {
  CLUSTER_ROLES,
  CONFIG_MAPS,
  DEPLOYMENTS,
  DEVICE_CLASSES,
  EVENTS,
  LEASES,
  NAMESPACES,
  NODES,
  pathOf,
  PODS,
  REPLICA_SETS,
  RESOURCE_CLAIM_TEMPLATES,
  RESOURCE_CLAIMS,
  RESOURCE_QUOTAS,
  RESOURCE_SLICES,
  type Resource,
  type ResourceName,
  SECRETS,
  SERVICE_ACCOUNTS,
} from './resource.ts';
export { type DeleteRequest, errorOfResponse, type ListOptions, type PatchOptions, RestClient, type Scope, type WatchOptions } from './rest-client.ts';
export { deviceTaintRules, podGroups, servedIn } from './served-resource.ts';
export { type IssuedToken, requestToken, type TokenTerms } from './token-request.ts';
export type { Transport, TransportRequest, TransportResponse } from './transport.ts';
export { lines, readText, watchEvents, type WatchEvent } from './watch-stream.ts';
