/** Watches: the events of a collection as a stream of JSON lines. */
import { CompactedError, type StoreEvent } from '#storage';
import { type Scope, listPrefix } from '../catalog.ts';
import { utf8 } from '../http/message.ts';
import { isOn } from '../http/request-info.ts';
import type { Core } from '../options.ts';
import { invalidOption, tooLargeResourceVersion, tooOldResourceVersion } from '../refusals.ts';
import type { Call } from './call.ts';
import { listObjects, numberOption, revisionOption } from './list.ts';
import type { StoredObject } from './object-store.ts';
import { type Selection, selectionOf } from './selection.ts';
import { LineStream } from './line-stream.ts';

/** The line of an event as a watch shows it: the object as itself, as a Table or as metadata only. */
export type Rendering = (type: string, stored: StoredObject) => Uint8Array;

/** Upstream: minRequestTimeout of the generic API server; a watch without timeoutSeconds ends after one to two of it. */
const MIN_REQUEST_TIMEOUT_SECONDS = 1800;
/** Upstream: bookmarkFrequency of the watch cache. */
const BOOKMARK_FREQUENCY_MS = 60_000;
/** Annotation of the bookmark that ends the initial events (meta/v1 InitialEventsAnnotationKey). */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

interface WatchRequest {
  /** Events after this revision; undefined: first what exists, then what happens. */
  readonly revision: number | undefined;
  readonly bookmarks: boolean;
  /** Ends the initial events with a marked bookmark. */
  readonly streamingList: boolean;
  readonly timeoutMs: number;
}

/** Starts the watch of the call. */
export async function watch(core: Core, call: Call, render: Rendering): Promise<AsyncIterable<Uint8Array>> {
  const request = parseRequest(core, call);
  const lines = new LineStream();
  const feed = new Feed(core, call.scope, { selection: selectionOf(call), render, lines });
  try {
    const start = request.revision ?? (await feed.sendInitial(call, request.streamingList));
    const prefix = listPrefix(call.scope, call.target.namespace);
    lines.onClose(core.objects.store.watch(prefix, start, (events) => feed.send(events)));
  } catch (thrown) {
    if (!(thrown instanceof CompactedError)) throw thrown;
    lines.end(errorLine(tooOldResourceVersion(request.revision ?? 0, thrown.compactedRevision).status));
    return lines;
  }
  const { clock } = core.options;
  lines.onClose(clock.setTimer(request.timeoutMs, () => lines.end()));
  if (request.bookmarks) scheduleBookmarks(core, feed, lines);
  const stop = (): void => lines.close();
  if (call.request.signal.aborted) lines.close();
  call.request.signal.addEventListener('abort', stop, { once: true });
  lines.onClose(() => call.request.signal.removeEventListener('abort', stop));
  return lines;
}

function parseRequest(core: Core, call: Call): WatchRequest {
  const { query } = call.info;
  const { random } = core.options;
  const asked = numberOption(query, 'timeoutSeconds') ?? 0;
  const timeoutSeconds = asked > 0 ? asked : MIN_REQUEST_TIMEOUT_SECONDS + random.below(MIN_REQUEST_TIMEOUT_SECONDS);
  const bookmarks = isOn(query, 'allowWatchBookmarks');
  const revision = revisionOption(query);
  const current = core.objects.store.revision();
  if (revision !== undefined && revision > current) throw tooLargeResourceVersion(revision, current);
  const sendInitialEvents = query.get('sendInitialEvents');
  checkInitialEvents(sendInitialEvents, query.get('resourceVersionMatch') ?? '');
  const initial = sendInitialEvents === null ? revision === undefined || revision === 0 : isOn(query, 'sendInitialEvents');
  return {
    revision: initial ? undefined : revision === undefined || revision === 0 ? current : revision,
    bookmarks,
    streamingList: bookmarks && sendInitialEvents !== null && initial,
    timeoutMs: timeoutSeconds * 1000,
  };
}

/** Upstream: ValidateListOptions for watches. */
function checkInitialEvents(sendInitialEvents: string | null, match: string): void {
  const path = 'resourceVersionMatch';
  const refuse = (reason: string, message: string): Error => invalidOption('ListOptions', { path, reason, message });
  if (sendInitialEvents === null && match !== '')
    throw refuse('FieldValueForbidden', 'Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
  if (sendInitialEvents === null || match === 'NotOlderThan') return;
  if (match === '') throw refuse('FieldValueForbidden', 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  throw refuse('FieldValueNotSupported', `Unsupported value: ${JSON.stringify(match)}: supported values: "NotOlderThan"`);
}

function scheduleBookmarks(core: Core, feed: Feed, lines: LineStream): void {
  const { clock } = core.options;
  let cancel = (): void => {};
  const next = (): void => {
    feed.sendBookmark(core.objects.store.revision());
    cancel = clock.setTimer(BOOKMARK_FREQUENCY_MS, next);
  };
  cancel = clock.setTimer(BOOKMARK_FREQUENCY_MS, next);
  lines.onClose(() => cancel());
}

/** Turns store events into lines, adding and removing what starts and stops to match. */
class Feed {
  readonly #core: Core;
  readonly #scope: Scope;
  readonly #sink: { readonly selection: Selection | undefined; readonly render: Rendering; readonly lines: LineStream };

  constructor(core: Core, scope: Scope, sink: { readonly selection: Selection | undefined; readonly render: Rendering; readonly lines: LineStream }) {
    this.#core = core;
    this.#scope = scope;
    this.#sink = sink;
  }

  /** Sends what exists as ADDED; the revision from which events follow. */
  async sendInitial(call: Call, endWithBookmark: boolean): Promise<number> {
    const query = new URLSearchParams(call.info.query);
    for (const name of ['limit', 'continue', 'resourceVersion', 'resourceVersionMatch']) query.delete(name);
    const { items, revision } = await listObjects(this.#core, { ...call, info: { ...call.info, query } });
    for (const item of items) this.#sink.lines.pushInitial(this.#sink.render('ADDED', item));
    if (endWithBookmark) this.#sink.lines.pushInitial(this.#bookmark(revision, { [INITIAL_EVENTS_END]: 'true' }));
    return revision;
  }

  send(events: readonly StoreEvent[]): void {
    for (const event of events) {
      const line = this.#line(event);
      if (line !== undefined) this.#sink.lines.push(line);
    }
  }

  sendBookmark(revision: number): void {
    this.#sink.lines.push(this.#bookmark(revision));
  }

  #line(event: StoreEvent): Uint8Array | undefined {
    const { objects } = this.#core;
    const current = objects.current(event);
    const previous = objects.previous(event);
    const matches = current !== undefined && this.#matches(current);
    const matched = previous !== undefined && this.#matches(previous);
    if (matches) return this.#sink.render(matched ? 'MODIFIED' : 'ADDED', current);
    return matched ? this.#sink.render('DELETED', previous.deletedAt(event.revision)) : undefined;
  }

  /** Without a selection nothing has to be decoded. */
  #matches(stored: StoredObject): boolean {
    return this.#sink.selection === undefined || this.#sink.selection(stored);
  }

  #bookmark(revision: number, annotations?: Readonly<Record<string, string>>): Uint8Array {
    const { kind, apiVersion } = this.#scope;
    const metadata = { resourceVersion: String(revision), ...(annotations === undefined ? {} : { annotations }) };
    return eventLine('BOOKMARK', JSON.stringify({ kind: kind.kind, apiVersion, metadata }));
  }
}

/** The line of an event with the JSON text of its object. */
export function eventLine(type: string, objectJson: string): Uint8Array {
  return utf8(`{"type":"${type}","object":${objectJson}}\n`);
}

/** The line of an ERROR event. */
export function errorLine(status: unknown): Uint8Array {
  return eventLine('ERROR', JSON.stringify(status));
}
