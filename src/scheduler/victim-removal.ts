/** Carries a preemption out: victims are told, marked and deleted (upstream: preemption.Executor). */
import type { Logger } from '#base';
import type { Pod } from '#api';
import { PODS, type RestClient } from '#client';
import { isNotFound, keyOf, nameOf, namespaceOf } from '#machinery';
import type { PodReporter } from './pod-reporter.ts';
import type { Preemption } from './preemption.ts';

/** What the removal works with. */
export interface VictimRemovalParts {
  readonly client: RestClient;
  readonly logger: Logger;
  readonly reporter: PodReporter;
  readonly schedulerName: string;
}

/** Removes the victims of preemptions. */
export class VictimRemoval {
  readonly #parts: VictimRemovalParts;

  constructor(parts: VictimRemovalParts) {
    this.#parts = parts;
  }

  /** Deletes all victims; they take room until their containers have ended. Rejects when the server refuses one. */
  async remove(preemptor: Pod, { nodeName, victims }: Preemption): Promise<void> {
    await Promise.all(victims.map((victim) => this.#removeOne(preemptor, victim, nodeName)));
  }

  async #removeOne(preemptor: Pod, victim: Pod, nodeName: string): Promise<void> {
    const { client, reporter, schedulerName, logger } = this.#parts;
    if (victim.metadata.deletionTimestamp !== undefined) return;
    const options = { namespace: namespaceOf(victim), uid: victim.metadata.uid };
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${schedulerName}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: reporter.timestamp(),
    };
    const body = { metadata: { uid: victim.metadata.uid ?? null }, status: { conditions: [condition] } };
    try {
      await client.patch(PODS, nameOf(victim), { namespace: namespaceOf(victim), type: 'strategic', subresource: 'status', body });
      await client.delete(PODS, nameOf(victim), options);
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    logger.info('preempted a pod', { pod: keyOf(victim), preemptor: keyOf(preemptor), node: nodeName });
    const message = `Preempted by pod ${preemptor.metadata.uid ?? ''} on node ${nodeName}`;
    reporter.event(victim, { type: 'Normal', reason: 'Preempted', message, action: 'Preempting' });
  }
}
