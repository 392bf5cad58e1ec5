/** Keeps the condition of DeviceTaintRules up to date, not more often than upstream does. */
import type { Clock } from '#base';
import type { DeviceTaintRule } from '#api';
import type { Resource, RestClient } from '#client';
import { apiVersionOf, isNotFound, nameOf } from '#machinery';
import type { ReconcileResult } from '#reconcile';
import type { PendingEvictions } from './pending-evictions.ts';
import type { PodEviction } from './pod-eviction.ts';
import { EVICTION_IN_PROGRESS, ruleCondition } from './rule-condition.ts';

/** What the status is made from and written with. */
export interface RuleStatusParts {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly resource: Resource<DeviceTaintRule>;
  readonly pending: PendingEvictions;
  readonly eviction: PodEviction;
}

/** The pause between two updates of one rule (upstream: ruleStatusPeriod). */
const UPDATE_PERIOD_MS = 10_000;
const FIELD_MANAGER = 'device-taint-eviction-controller';

/** Writes conditions; remembers when, by the rule's name. */
export class RuleStatus {
  readonly #parts: RuleStatusParts;
  readonly #updated = new Map<string, { readonly uid: string; readonly generation: number; readonly atMs: number }>();

  constructor(parts: RuleStatusParts) {
    this.#parts = parts;
  }

  /** Brings the rule's condition to what holds now: at once for a new or changed spec, otherwise when the period is over. */
  async sync(name: string, rule: DeviceTaintRule | undefined): Promise<void | ReconcileResult> {
    if (rule === undefined) this.#updated.delete(name);
    if (rule === undefined || rule.metadata.deletionTimestamp !== undefined) return undefined;
    const { clock, pending, eviction } = this.#parts;
    const uid = rule.metadata.uid ?? '';
    const generation = Number(rule.metadata.generation ?? 0);
    const known = rule.status?.conditions?.find(({ type }) => type === EVICTION_IN_PROGRESS);
    const isCurrent = Number(known?.observedGeneration ?? -1) === generation;
    // A dry run is made once; its text says so.
    if (isCurrent && known?.reason === 'NoEffect') return undefined;
    const condition = ruleCondition(rule, pending.factsOf(rule, eviction.evictedFor(uid)));
    const isSame = known?.status === condition.status && known.reason === condition.reason && known.message === condition.message;
    if (isCurrent && isSame) return undefined;
    const last = this.#updated.get(name);
    const waitMs = last?.uid !== uid || last.generation !== generation ? 0 : last.atMs + UPDATE_PERIOD_MS - clock.monotonicMs();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    this.#updated.set(name, { uid, generation, atMs: clock.monotonicMs() });
    await this.#write(rule, { ...condition, type: EVICTION_IN_PROGRESS, observedGeneration: generation, lastTransitionTime: this.#timestamp() });
    return undefined;
  }

  #timestamp(): string {
    return `${new Date(this.#parts.clock.nowMs()).toISOString().slice(0, 19)}Z`;
  }

  async #write(rule: DeviceTaintRule, condition: Readonly<Record<string, string | number>>): Promise<void> {
    const { client, resource } = this.#parts;
    const body = {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: { name: nameOf(rule), uid: rule.metadata.uid ?? null },
      status: { conditions: [condition] },
    };
    try {
      await client.patch(resource, nameOf(rule), { type: 'apply', subresource: 'status', fieldManager: FIELD_MANAGER, force: true, body });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
