/** Host ports of pods on one node (NodePorts). */
import type { ContainerPort, Pod } from '#api';

const ANY_ADDRESS = '0.0.0.0';

interface HostPort {
  readonly address: string;
  readonly protocol: string;
  readonly port: number;
}

/** Whether a host port that the pod wants is taken by a pod on the node. */
export function hasPortConflict(pod: Pod, podsOnNode: readonly Pod[]): boolean {
  const wanted = hostPorts(pod);
  if (wanted.length === 0) return false;
  const taken = podsOnNode.flatMap(hostPorts);
  return wanted.some((one) => taken.some((other) => collide(one, other)));
}

function hostPorts(pod: Pod): readonly HostPort[] {
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  return [...sidecars, ...(pod.spec?.containers ?? [])]
    .flatMap((container) => container.ports ?? [])
    .filter((port) => (port.hostPort ?? 0) > 0)
    .map(hostPort);
}

function hostPort({ hostIP = '', protocol = 'TCP', hostPort: port = 0 }: ContainerPort): HostPort {
  return { address: hostIP === '' ? ANY_ADDRESS : hostIP, protocol, port };
}

function collide(a: HostPort, b: HostPort): boolean {
  const sameAddress = a.address === b.address || a.address === ANY_ADDRESS || b.address === ANY_ADDRESS;
  return sameAddress && a.protocol === b.protocol && a.port === b.port;
}
