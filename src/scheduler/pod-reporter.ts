/** Tells users about a pod: events, the PodScheduled condition, the nominated node. A failure to tell is logged and stops nothing. */
import { asError, type Clock, type Logger } from '#base';
import type { Pod, PodGroup } from '#api';
import { type EventRecorder, type Lister, type Occurrence, PODS, type Resource, type RestClient } from '#client';
import { isNotFound, type Json, keyOf, nameOf, namespaceOf } from '#machinery';

/** What a reporter writes with. */
export interface PodReporterParts {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventRecorder;
  readonly pods: Lister<Pod>;
}

/** Why a pod was not scheduled: `Unschedulable` waits for a change, `SchedulerError` is tried again. */
export type FailureReason = 'Unschedulable' | 'SchedulerError';

/** Writes to pods; one that has been replaced by a pod of the same name is left alone. */
export class PodReporter {
  readonly #parts: PodReporterParts;

  constructor(parts: PodReporterParts) {
    this.#parts = parts;
  }

  /** Now as conditions carry it. */
  timestamp(): string {
    return `${new Date(this.#parts.clock.nowMs()).toISOString().slice(0, 19)}Z`;
  }

  /** Records an event about the pod. */
  event(pod: Pod, occurrence: Occurrence): void {
    this.#parts.events.event(pod, occurrence);
  }

  /** Event and PodScheduled condition of a failed attempt; `nominatedNodeName` is set or, with null, taken back with them. */
  async failed(pod: Pod, reason: FailureReason, message: string, nominatedNodeName?: string | null): Promise<void> {
    const current = this.#parts.pods.get(keyOf(pod));
    if (current === undefined || current.metadata.uid !== pod.metadata.uid) return;
    this.event(pod, { type: 'Warning', reason: 'FailedScheduling', message, action: 'Scheduling' });
    const known = current.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
    const isKnown = known?.status === 'False' && known.reason === reason && known.message === message;
    const nominated = current.status?.nominatedNodeName ?? '';
    const renominates = nominatedNodeName !== undefined && (nominatedNodeName ?? '') !== nominated;
    if (isKnown && !renominates) return;
    const lastTransitionTime = known?.status === 'False' ? (known.lastTransitionTime ?? null) : this.timestamp();
    const condition = { type: 'PodScheduled', status: 'False', reason, message, lastTransitionTime };
    await this.#patch(pod, { conditions: [condition], ...(renominates ? { nominatedNodeName } : {}) });
  }

  /** Tells others where the pod is about to go, so that they keep the room; null takes it back. */
  async nominate(pod: Pod, nodeName: string | null): Promise<void> {
    await this.#patch(pod, { nominatedNodeName: nodeName });
  }

  /** The first pod of the group is bound: its condition PodGroupScheduled says so. */
  async groupScheduled(group: PodGroup, resource: Resource<PodGroup>): Promise<void> {
    const { client, logger } = this.#parts;
    const isKnown = (group.status?.conditions ?? []).some(({ type, status }) => type === 'PodGroupScheduled' && status === 'True');
    if (isKnown) return;
    const condition = { type: 'PodGroupScheduled', status: 'True', reason: 'Scheduled', message: '', lastTransitionTime: this.timestamp() };
    const body = { metadata: { uid: group.metadata.uid ?? null }, status: { conditions: [condition] } };
    try {
      await client.patch(resource, nameOf(group), { namespace: namespaceOf(group), type: 'strategic', subresource: 'status', body });
    } catch (error) {
      if (!isNotFound(error)) logger.warn('the status of a pod group could not be written', { group: keyOf(group), error: asError(error).message });
    }
  }

  async #patch(pod: Pod, status: Readonly<Record<string, Json>>): Promise<void> {
    const { client, logger } = this.#parts;
    const body = { metadata: { uid: pod.metadata.uid ?? null }, status };
    try {
      await client.patch(PODS, nameOf(pod), { namespace: namespaceOf(pod), type: 'strategic', subresource: 'status', body });
    } catch (error) {
      if (!isNotFound(error)) logger.warn('a pod status could not be written', { pod: keyOf(pod), error: asError(error).message });
    }
  }
}
