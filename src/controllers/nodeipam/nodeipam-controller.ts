/** The node IPAM controller: gives each node a range of pod addresses of its own in spec.podCIDR. */
import type { Node } from '#api';
import { EventRecorder, NODES } from '#client';
import { keyOf, nameOf } from '#machinery';
import { Controller } from '#reconcile';
import { type ControllerContext, queueFor, synced } from '../controller-context.ts';
import { freeRange } from './free-range.ts';

/** The default of kubeadm and of most network plugins. */
const CLUSTER_CIDR = '10.244.0.0/16';

/** Runs until `signal` aborts. */
export async function runNodeIpamController(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { client, clock, random, logger, informers } = context;
  const nodes = informers.of(NODES);
  const queue = queueFor(context, 'node_ipam');
  const events = new EventRecorder({ client, clock, random, logger, component: 'cidrAllocator' });
  // Ranges given out that the informer may not show yet.
  const given = new Map<string, string>();
  const changed = (node: Node): void => {
    if (node.spec?.podCIDR === undefined) queue.add(keyOf(node));
    else given.delete(nameOf(node));
  };
  // Its range may be what another node waits for.
  const deleted = (node: Node): void => {
    given.delete(nameOf(node));
    nodes.lister.list().forEach(changed);
  };
  nodes.addHandler({ added: changed, updated: (_old, node) => changed(node), deleted });
  await synced([nodes], signal);
  const reconcile = async (name: string): Promise<void> => {
    const node = nodes.lister.get(name);
    if (node === undefined || node.spec?.podCIDR !== undefined) return;
    const podCIDR = given.get(name) ?? freeRange(CLUSTER_CIDR, [...given.values(), ...nodes.lister.list().flatMap((other) => other.spec?.podCIDR ?? [])]);
    if (podCIDR === undefined) {
      const message = `Node ${name} gets no range of pod addresses: all of ${CLUSTER_CIDR} are given to other nodes. It gets the first one that is given back`;
      events.event(node, { type: 'Warning', reason: 'CIDRNotAvailable', message });
      return;
    }
    given.set(name, podCIDR);
    await client.patch(NODES, name, { type: 'strategic', body: { spec: { podCIDR, podCIDRs: [podCIDR] } } });
  };
  await new Controller({ name: 'nodeipam', reconcile, queue, logger, workers: 1 }).run(signal);
  await events.flush();
}
