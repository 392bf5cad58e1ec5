/** One of several processes works, the others wait: leadership by a Lease (client-go tools/leaderelection). */
import { asError, type Clock, type Logger, type Random, sleep } from '#base';
import type { Lease } from '#api';
import { EventRecorder, LEASES, type RestClient } from '#client';
import { isConflict, isNotFound } from '#machinery';

/** The Lease and the times; upstream's components: 15 s, 10 s, 2 s. */
export interface LeaderElectionSettings {
  readonly namespace: string;
  readonly name: string;
  /** Who this candidate is; no two may have the same. */
  readonly identity: string;
  /** How long the others wait after the last renewal that they saw. */
  readonly leaseDurationMs: number;
  /** How long the leader tries to renew before it gives up; shorter than the lease. */
  readonly renewDeadlineMs: number;
  /** The pause between tries. */
  readonly retryPeriodMs: number;
}

/** Times of upstream's components (component-base LeaderElectionConfiguration). */
export const DEFAULT_LEADER_ELECTION = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 } as const;

/** What an election works with. */
export interface LeaderElectionParts {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: LeaderElectionSettings;
}

/** Candidates wait up to so much longer than the retry period, so that they do not come together (leaderelection.JitterFactor). */
const JITTER_FACTOR = 1.2;

/** The settings are wrong in a way that would let two lead; the message names the flags. */
export function leaderElectionProblem(settings: LeaderElectionSettings): string | undefined {
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = settings;
  if (leaseDurationMs <= renewDeadlineMs) return 'the lease duration must be longer than the renew deadline';
  if (renewDeadlineMs <= retryPeriodMs * JITTER_FACTOR) return 'the renew deadline must be longer than 1.2 times the retry period';
  return retryPeriodMs < 1 || settings.name === '' || settings.identity === '' ? 'the retry period, name and identity must be given' : undefined;
}

/**
 * Waits for leadership, runs `work`, and keeps leadership meanwhile. Resolves when `signal` aborts and the work has ended; the Lease is then free at
 * once. Rejects when the work does, and when leadership is lost, after the work's own signal has aborted: a process that lost it must not go on.
 */
export async function runAsLeader(parts: LeaderElectionParts, work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  const election = new Election(parts);
  if (!(await election.acquire(signal))) return;
  const lost = new AbortController();
  const ended = new AbortController();
  const working = work(AbortSignal.any([signal, lost.signal])).finally(() => ended.abort());
  // It may break off while the lease is being kept; that is told below.
  working.catch(() => undefined);
  const kept = await election.keep(AbortSignal.any([signal, ended.signal]));
  if (!kept) {
    lost.abort(new Error('leadership is lost'));
    await working.catch(() => undefined);
    throw new Error(`lost the lease ${parts.settings.namespace}/${parts.settings.name}`);
  }
  try {
    await working;
  } finally {
    await election.release();
  }
}

/** For waits that only their limit ends. */
const NEVER = new AbortController().signal;

class Election {
  readonly #parts: LeaderElectionParts;
  readonly #events: EventRecorder;
  /** The Lease as last seen, and when it was seen to change: clocks of others play no part. */
  #observed: { readonly lease: Lease; readonly atMs: number } | undefined;
  /** The last try, which may still be waiting for an answer. */
  #trying: Promise<boolean> = Promise.resolve(false);

  constructor(parts: LeaderElectionParts) {
    const { client, clock, random, logger, settings } = parts;
    this.#parts = parts;
    this.#events = new EventRecorder({ client, clock, random, logger, component: settings.name });
  }

  /** True once this candidate leads; false when `signal` aborts first. */
  async acquire(signal: AbortSignal): Promise<boolean> {
    const { settings, logger, random } = this.#parts;
    logger.info('waiting for leadership', { lease: settings.name, identity: settings.identity });
    while (!signal.aborted) {
      if (await this.#within(settings.renewDeadlineMs, this.#try(), signal)) {
        this.#tell('became leader');
        return true;
      }
      await this.#pause(settings.retryPeriodMs + random.below(Math.round(settings.retryPeriodMs * JITTER_FACTOR)), signal);
    }
    return false;
  }

  /** Renews until `signal` aborts (true) or no renewal has succeeded for the deadline (false). */
  async keep(signal: AbortSignal): Promise<boolean> {
    const { settings, clock } = this.#parts;
    let renewedMs = clock.monotonicMs();
    while (!signal.aborted) {
      await this.#pause(settings.retryPeriodMs, signal);
      if (signal.aborted) break;
      const leftMs = renewedMs + settings.renewDeadlineMs - clock.monotonicMs();
      if (await this.#within(leftMs, this.#try(), signal)) renewedMs = clock.monotonicMs();
      else if (!signal.aborted && clock.monotonicMs() - renewedMs >= settings.renewDeadlineMs) {
        this.#tell('stopped leading');
        return false;
      }
    }
    return true;
  }

  /** Lets the next candidate lead without waiting for the lease to run out, as far as the server answers soon: the end must not wait for it. */
  async release(): Promise<void> {
    const { retryPeriodMs } = this.#parts.settings;
    // It would come in between.
    await this.#within(retryPeriodMs, this.#trying, NEVER);
    const released = this.#giveUp().then(() => true);
    await this.#within(retryPeriodMs, released, NEVER);
  }

  async #giveUp(): Promise<void> {
    const lease = this.#observed?.lease;
    if (lease === undefined || lease.spec?.holderIdentity !== this.#parts.settings.identity) return;
    const now = this.#now();
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    await this.#parts.client.update(LEASES, { ...lease, spec }).catch((error: unknown) => this.#log(error));
    this.#tell('stopped leading');
    await this.#events.flush();
  }

  #try(): Promise<boolean> {
    this.#trying = this.#acquireOrRenew().catch((error: unknown) => {
      if (!isConflict(error)) this.#log(error);
      return false;
    });
    return this.#trying;
  }

  /** A server that does not answer must neither keep a leader in office nor hold up its end: false after `limitMs`, and when `signal` aborts. */
  async #within(limitMs: number, trying: Promise<boolean>, signal: AbortSignal): Promise<boolean> {
    const answered = new AbortController();
    const tooLate = this.#pause(limitMs, AbortSignal.any([answered.signal, signal])).then(() => false);
    const outcome = await Promise.race([trying, tooLate]);
    answered.abort();
    return outcome;
  }

  async #acquireOrRenew(): Promise<boolean> {
    const { client, clock, settings } = this.#parts;
    const lease = await this.#read();
    if (lease === undefined) {
      const metadata = { name: settings.name, namespace: settings.namespace };
      this.#see(await client.create(LEASES, { metadata, spec: this.#claimed(undefined) }));
      return true;
    }
    this.#see(lease);
    const holder = lease.spec?.holderIdentity ?? '';
    const durationMs = (Number(lease.spec?.leaseDurationSeconds ?? 0) || settings.leaseDurationMs / 1000) * 1000;
    const isFree = holder === '' || holder === settings.identity || clock.monotonicMs() - (this.#observed?.atMs ?? 0) >= durationMs;
    if (!isFree) return false;
    this.#see(await client.update(LEASES, { ...lease, spec: this.#claimed(lease) }));
    return true;
  }

  async #read(): Promise<Lease | undefined> {
    const { client, settings } = this.#parts;
    try {
      return await client.get(LEASES, settings.name, settings.namespace);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #see(lease: Lease): void {
    if (this.#observed?.lease.metadata.resourceVersion === lease.metadata.resourceVersion) return;
    this.#observed = { lease, atMs: this.#parts.clock.monotonicMs() };
  }

  #claimed(before: Lease | undefined): Lease['spec'] {
    const { settings } = this.#parts;
    const renewTime = this.#now();
    const renews = before?.spec?.holderIdentity === settings.identity;
    return {
      ...before?.spec,
      holderIdentity: settings.identity,
      leaseDurationSeconds: Math.round(settings.leaseDurationMs / 1000),
      renewTime,
      acquireTime: renews ? (before.spec?.acquireTime ?? renewTime) : renewTime,
      leaseTransitions: Number(before?.spec?.leaseTransitions ?? 0) + (renews || before === undefined ? 0 : 1),
    };
  }

  /** RFC 3339 with microseconds. */
  #now(): string {
    return `${new Date(this.#parts.clock.nowMs()).toISOString().slice(0, 23)}000Z`;
  }

  #tell(what: string): void {
    const { settings, logger } = this.#parts;
    logger.info(what, { lease: settings.name, identity: settings.identity });
    const lease = this.#observed?.lease;
    if (lease === undefined) return;
    const object = { ...lease, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
    this.#events.event(object, { type: 'Normal', reason: 'LeaderElection', message: `${settings.identity} ${what}` });
  }

  #log(error: unknown): void {
    this.#parts.logger.warn('the lease could not be read or written', { lease: this.#parts.settings.name, error: asError(error).message });
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    await sleep(this.#parts.clock, delayMs, signal).catch(() => undefined);
  }
}
