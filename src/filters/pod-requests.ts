/** How much of each resource a pod asks for (component-helpers resource.PodRequests). */
import type { Container, Pod } from '#api';
import { oncePer } from '#base';
import { parseQuantity, Quantity } from '#machinery';

/** Amounts by resource name. */
export type ResourceAmounts = ReadonlyMap<string, Quantity>;

const ZERO = Quantity.of(0);

/**
 * The sum over the pod's long-running containers, but at least what any init container needs while it runs, which is on top of the sidecars
 * started before it; pod-level requests replace that; overhead is added.
 */
export const podRequests: (pod: Pod) => ResourceAmounts = oncePer(computeRequests);

function computeRequests(pod: Pod): ResourceAmounts {
  const total = new Map<string, Quantity>();
  for (const container of pod.spec?.containers ?? []) add(total, requestsOf(container));
  const sidecars = new Map<string, Quantity>();
  const starting = new Map<string, Quantity>();
  for (const container of pod.spec?.initContainers ?? []) {
    const needed = new Map(requestsOf(container));
    if (container.restartPolicy === 'Always') {
      add(total, needed);
      add(sidecars, needed);
      raise(starting, sidecars);
    } else {
      add(needed, sidecars);
      raise(starting, needed);
    }
  }
  raise(total, starting);
  for (const [name, amount] of amountsOf(pod.spec?.resources?.requests)) total.set(name, amount);
  add(total, amountsOf(pod.spec?.overhead));
  return total;
}

function requestsOf(container: Container): ResourceAmounts {
  return amountsOf(container.resources?.requests);
}

/** Amounts that are no quantities count as zero; the API server lets none through. */
export function amountsOf(texts: Readonly<Record<string, string>> | undefined): Map<string, Quantity> {
  return new Map(Object.entries(texts ?? {}).map(([name, text]) => [name, parseQuantity(text) ?? ZERO]));
}

/** Adds `more` to `total`. */
export function add(total: Map<string, Quantity>, more: ResourceAmounts): void {
  for (const [name, amount] of more) total.set(name, (total.get(name) ?? ZERO).add(amount));
}

function raise(total: Map<string, Quantity>, least: ResourceAmounts): void {
  for (const [name, amount] of least) if (amount.compare(total.get(name) ?? ZERO) > 0) total.set(name, amount);
}
