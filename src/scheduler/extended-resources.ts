/** Extended resources that device classes stand for (KEP 5004): what a pod asks for by such names, and the claim that asks for the devices. */
import type { Container, ContainerExtendedResourceRequest, DeviceClass, DeviceRequest, Pod, ResourceClaim } from '#api';
import { podRequests } from '#filters';
import { type ApiObject, nameOf, namespaceOf, parseQuantity } from '#machinery';

/** Marks the claim that the scheduler makes for extended resources (resource/v1: ExtendedResourceClaimAnnotation). */
export const EXTENDED_RESOURCE_CLAIM = 'resource.kubernetes.io/extended-resource-claim';

/** Every class can be asked for by this prefix and its name (resource/v1: ResourceDeviceClassPrefix). */
const IMPLICIT_PREFIX = 'deviceclass.resource.kubernetes.io/';

/** Names of classes by the extended resource that they stand for. */
export type ClassByResource = ReadonlyMap<string, string>;

/** The class for each spec.extendedResourceName; of several the newest counts, then the first by name. */
export function classesByResource(classes: readonly DeviceClass[]): ClassByResource {
  const chosen = new Map<string, DeviceClass>();
  for (const deviceClass of classes) {
    const resource = deviceClass.spec.extendedResourceName ?? '';
    const rival = chosen.get(resource);
    if (resource !== '' && (rival === undefined || goesBefore(deviceClass, rival))) chosen.set(resource, deviceClass);
  }
  return new Map([...chosen].map(([resource, deviceClass]) => [resource, nameOf(deviceClass)]));
}

function goesBefore(a: ApiObject, b: ApiObject): boolean {
  const [aTime, bTime] = [Date.parse(a.metadata.creationTimestamp ?? ''), Date.parse(b.metadata.creationTimestamp ?? '')];
  return aTime === bTime ? nameOf(a) < nameOf(b) : aTime > bTime;
}

/** The extended resources that the pod requests and that a class stands for; each may still be served by a device plugin. */
export function classBackedResources(pod: Pod, classes: ClassByResource, classExists: (name: string) => boolean): ClassByResource {
  const found = new Map<string, string>();
  for (const [resource, amount] of podRequests(pod)) {
    if (!resource.includes('/') || amount.sign() <= 0) continue;
    const implicit = resource.startsWith(IMPLICIT_PREFIX) ? resource.slice(IMPLICIT_PREFIX.length) : '';
    const className = classes.get(resource) ?? (implicit !== '' && classExists(implicit) ? implicit : undefined);
    if (className !== undefined) found.set(resource, className);
  }
  return found;
}

/** Whether the claim was made by the scheduler for extended resources of the pod. */
export function isExtendedClaimOf(claim: ResourceClaim, pod: Pod): boolean {
  const controlled = (claim.metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === pod.metadata.uid);
  return controlled && claim.metadata.annotations?.[EXTENDED_RESOURCE_CLAIM] === 'true';
}

/** The claim for extended resources, not yet in the API, and which of its requests serves which container. */
export interface ExtendedClaim {
  readonly claim: ResourceClaim;
  readonly requestMappings: readonly ContainerExtendedResourceRequest[];
}

/**
 * The claim that asks for the resources of `backed` on behalf of the pod's containers. Its name is one that no claim can have; it is unique
 * for the pod so that its devices can be accounted for before the claim exists.
 */
export function extendedClaimFor(pod: Pod, backed: ClassByResource): ExtendedClaim {
  const requests: DeviceRequest[] = [];
  const requestMappings: ContainerExtendedResourceRequest[] = [];
  for (const [resource, className] of [...backed].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const demand = new ResourceDemand(pod, resource);
    for (const { name, count } of demand.requests()) {
      requests.push({ name, exactly: { deviceClassName: className, allocationMode: 'ExactCount', count } });
    }
    requestMappings.push(...demand.mappings());
  }
  requests.sort((a, b) => (a.name < b.name ? -1 : 1));
  const owner = { apiVersion: 'v1', kind: 'Pod', name: nameOf(pod), uid: pod.metadata.uid ?? '', controller: true };
  const claim: ResourceClaim = {
    metadata: {
      name: `<extended-resources>/${nameOf(pod)}`,
      generateName: `${nameOf(pod)}-extended-resources-`,
      namespace: namespaceOf(pod),
      uid: `extended-resources-of-${owner.uid}`,
      annotations: { [EXTENDED_RESOURCE_CLAIM]: 'true' },
      ownerReferences: [owner],
    },
    spec: { devices: { requests } },
  };
  return { claim, requestMappings };
}

interface Ask {
  readonly container: string;
  /** Place among the init containers followed by the others. */
  readonly index: number;
  readonly count: number;
  /** Runs as long as the pod: an ordinary container or a sidecar. */
  readonly longLived: boolean;
  readonly requestName: string;
}

/** What the containers of a pod ask of one resource, and the requests that cover it. */
class ResourceDemand {
  readonly #resource: string;
  readonly #asks: readonly Ask[];

  constructor(pod: Pod, resource: string) {
    this.#resource = resource;
    const initContainers = pod.spec?.initContainers ?? [];
    const longLived = (container: Container, index: number): boolean => index >= initContainers.length || container.restartPolicy === 'Always';
    this.#asks = [...initContainers, ...(pod.spec?.containers ?? [])].flatMap((container, index) => {
      const count = amountOf(container, resource);
      const requestName = `container-${String(index)}-request-${String(placeOf(container, resource))}`;
      return count === 0 ? [] : [{ container: container.name, index, count, longLived: longLived(container, index), requestName }];
    });
  }

  /** One request for each long-lived container, and one that any init container can use on top of those. */
  requests(): readonly { readonly name: string; readonly count: number }[] {
    const most = this.#most();
    const lasting = this.#asks.filter((ask) => ask.longLived).map(({ requestName: name, count }) => ({ name, count }));
    return most === undefined ? lasting : [...lasting, { name: most.ask.requestName, count: most.rest }];
  }

  mappings(): readonly ContainerExtendedResourceRequest[] {
    const shared = this.#most()?.ask.requestName;
    return this.#asks.flatMap((ask) => {
      if (ask.longLived) return [this.#mapping(ask, ask.requestName)];
      const { reused, rest } = this.#reuse(ask);
      return [...reused, ...(rest > 0 && shared !== undefined ? [shared] : [])].map((name) => this.#mapping(ask, name));
    });
  }

  #mapping(ask: Ask, requestName: string): ContainerExtendedResourceRequest {
    return { containerName: ask.container, resourceName: this.#resource, requestName };
  }

  /** Devices of containers that start later are free while an init container runs; `rest` is what they do not cover. */
  #reuse(ask: Ask): { readonly reused: readonly string[]; readonly rest: number } {
    const reused: string[] = [];
    let rest = ask.count;
    for (const later of this.#asks) {
      if (rest <= 0) break;
      if (!later.longLived || later.index < ask.index) continue;
      reused.push(later.requestName);
      rest -= later.count;
    }
    return { reused, rest };
  }

  /** The init container that lacks most: they run one after another, so its request serves the others too. */
  #most(): { readonly ask: Ask; readonly rest: number } | undefined {
    let most: { readonly ask: Ask; readonly rest: number } | undefined;
    for (const ask of this.#asks) {
      const rest = ask.longLived ? 0 : this.#reuse(ask).rest;
      if (rest > (most?.rest ?? 0)) most = { ask, rest };
    }
    return most;
  }
}

function amountOf(container: Container, resource: string): number {
  return Number(parseQuantity(requestsOf(container)[resource] ?? '0')?.value() ?? 0n);
}

/** The place of the resource among all that the container requests, by name. */
function placeOf(container: Container, resource: string): number {
  return Object.keys(requestsOf(container)).sort().indexOf(resource);
}

/** A limit counts as request where none is given; the API server has filled that in already. */
function requestsOf(container: Container): Readonly<Record<string, string>> {
  return container.resources?.requests ?? container.resources?.limits ?? {};
}
