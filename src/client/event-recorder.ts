/** Tells users what happened to an object: writes core/v1 Events, counting repetitions instead of repeating them. */
import { asError, type Clock, type Logger, type Random } from '#base';
import type { Event, ObjectReference } from '#api';
import { type ApiObject, isNotFound, nameOf, namespaceOf } from '#machinery';
import { EVENTS } from './resource.ts';
import type { RestClient } from './rest-client.ts';

/** What a recorder needs. `component` is what users see as the source; `instance` defaults to it. */
export interface EventRecorderOptions {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly component: string;
  readonly host?: string | undefined;
}

/** Events remembered for counting (client-go events_cache.go: maxLruCacheEntries). */
const EVENTS_REMEMBERED_MAX = 4096;

/** Events of one object before the filter bites, and how fast it recovers (client-go: defaultSpamBurst, defaultSpamQPS). */
const SPAM_BURST = 25;
const SPAM_REFILL_MS = 300_000;

/** Events on their way to the server; beyond that they are dropped, as upstream's queue does. */
const PENDING_MAX = 1000;

/** Longest message; longer ones are cut (events validation: noteLengthLimit). */
const MESSAGE_LENGTH_MAX = 1024;

interface Note {
  readonly object: ApiObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly action: string | undefined;
  readonly atMs: number;
}

interface Recorded {
  readonly name: string;
  readonly count: number;
}

/** What happened to an object: `action` says what the component was doing. */
export interface Occurrence {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly action?: string | undefined;
}

/** Records events one after another in the background; a failure to record is logged and never reaches the caller. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #recorded = new Map<string, Recorded>();
  readonly #tokens = new Map<string, { left: number; atMs: number }>();
  #pending = 0;
  #tail: Promise<void> = Promise.resolve();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Notes that something happened to `object`. */
  event(object: ApiObject, { type, reason, message, action }: Occurrence): void {
    const note: Note = { object, type, reason, message: message.slice(0, MESSAGE_LENGTH_MAX), action, atMs: this.#options.clock.nowMs() };
    if (this.#pending >= PENDING_MAX || !this.#admit(object)) return;
    this.#pending++;
    this.#tail = this.#tail.then(() => this.#write(note)).finally(() => this.#pending--);
  }

  /** Resolves when every event noted so far has been written or given up. */
  flush(): Promise<void> {
    return this.#tail;
  }

  /** Token bucket per object, so that one failing object cannot flood the server. */
  #admit(object: ApiObject): boolean {
    const key = object.metadata.uid ?? '';
    const now = this.#options.clock.monotonicMs();
    const bucket = this.#tokens.get(key) ?? { left: SPAM_BURST, atMs: now };
    const left = Math.min(SPAM_BURST, bucket.left + (now - bucket.atMs) / SPAM_REFILL_MS);
    remember(this.#tokens, key, { left: left >= 1 ? left - 1 : left, atMs: now });
    return left >= 1;
  }

  async #write(note: Note): Promise<void> {
    const key = keyOfNote(note);
    const before = this.#recorded.get(key);
    try {
      if (before !== undefined && (await this.#count(note, before))) {
        remember(this.#recorded, key, { name: before.name, count: before.count + 1 });
        return;
      }
      const created = await this.#options.client.create(EVENTS, this.#newEvent(note));
      remember(this.#recorded, key, { name: nameOf(created), count: 1 });
    } catch (error) {
      this.#options.logger.warn('an event could not be recorded', { reason: note.reason, error: asError(error).message });
    }
  }

  /** Raises the count of a known event; false when the event has expired meanwhile. */
  async #count(note: Note, before: Recorded): Promise<boolean> {
    const count = before.count + 1;
    const body =
      note.action === undefined
        ? { count, lastTimestamp: seconds(note.atMs) }
        : { count, lastTimestamp: seconds(note.atMs), series: { count, lastObservedTime: micros(note.atMs) } };
    try {
      await this.#options.client.patch(EVENTS, before.name, { namespace: namespaceFor(note.object), type: 'merge', body });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  #newEvent(note: Note): Event {
    const { component, host, random } = this.#options;
    const { object, type, reason, message, action, atMs } = note;
    const common = {
      metadata: { name: `${nameOf(object)}.${suffix(atMs, random)}`, namespace: namespaceFor(object) },
      involvedObject: referenceTo(object),
      type,
      reason,
      message,
      firstTimestamp: seconds(atMs),
      lastTimestamp: seconds(atMs),
      count: 1,
      source: host === undefined ? { component } : { component, host },
      reportingComponent: component,
    };
    // With an action this is an event of the new kind, which must also name its instance and time.
    return action === undefined
      ? { ...common, reportingInstance: host ?? '' }
      : { ...common, action, eventTime: micros(atMs), reportingInstance: host ?? component };
  }
}

function referenceTo(object: ApiObject): ObjectReference {
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, kind, name: metadata.name, namespace: metadata.namespace, uid: metadata.uid, resourceVersion: metadata.resourceVersion };
}

/** Events about cluster-scoped objects live in the default namespace. */
function namespaceFor(object: ApiObject): string {
  const namespace = namespaceOf(object);
  return namespace === '' ? 'default' : namespace;
}

function keyOfNote(note: Note): string {
  return [note.object.kind, note.object.metadata.uid, note.type, note.reason, note.action ?? '', note.message].join('\0');
}

/** client-go names events by the nanosecond; here the millisecond and six random digits. */
function suffix(atMs: number, random: Random): string {
  return (BigInt(atMs) * 1_000_000n + BigInt(random.below(1_000_000))).toString(16);
}

/** RFC 3339 in whole seconds, as metav1.Time. */
function seconds(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 with microseconds, as metav1.MicroTime. */
function micros(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 23)}000Z`;
}

/** Sets `key` as the newest entry and drops the oldest beyond the limit. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= EVENTS_REMEMBERED_MAX) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}
