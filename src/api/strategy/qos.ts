/** The quality-of-service class of a pod (upstream qos.ComputePodQOS). */
import { parseQuantity } from '#machinery';
import type { PodSpec, ResourceRequirements } from '../types/core-v1.ts';

type Amounts = Readonly<Record<string, string>> | undefined;

/** Only these resources count. */
const QOS_RESOURCES = ['cpu', 'memory'];

/** Guaranteed if every container limits CPU and memory to what it requests, BestEffort if nothing is asked for, otherwise Burstable. */
export function qosClassOf(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const pod = spec.resources;
  const sources: readonly ResourceRequirements[] = asksFor(pod)
    ? [pod ?? {}]
    : [...(spec.initContainers ?? []), ...spec.containers].map((container) => container.resources ?? {});
  if (!sources.some(asksFor)) return 'BestEffort';
  return sources.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}

function asksFor(resources: ResourceRequirements | undefined): boolean {
  return QOS_RESOURCES.some((name) => isPositive(resources?.requests, name) || isPositive(resources?.limits, name));
}

function isPositive(amounts: Amounts, name: string): boolean {
  return (parseQuantity(amounts?.[name] ?? '0')?.sign() ?? 0) > 0;
}

function isGuaranteed({ requests, limits }: ResourceRequirements): boolean {
  return QOS_RESOURCES.every((name) => {
    const limit = parseQuantity(limits?.[name] ?? '0');
    const request = parseQuantity(requests?.[name] ?? '0');
    return limit !== undefined && request !== undefined && limit.sign() > 0 && limit.compare(request) === 0;
  });
}
