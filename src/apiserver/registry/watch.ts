/** Watches: the events of a collection as a stream of JSON lines. */
import { canonical } from '#api';
import { asError } from '#base';
import { ApiError, internalError } from '#machinery';
import { CompactedError, type StoreEvent } from '#storage';
import { type Scope, listPrefix } from '../catalog.ts';
import { Pieces } from '../http/pieces.ts';
import { isOn } from '../http/request-info.ts';
import type { Core } from '../options.ts';
import { tooOldResourceVersion } from '../refusals.ts';
import type { Call } from './call.ts';
import { listObjects } from './list.ts';
import { checkWatchOptions, numberOption, reachedRevision, revisionOption } from './list-options.ts';
import { StoredObject, toStorage, withMetadata } from './object-store.ts';
import { type Selection, selectionOf } from './selection.ts';
import { LineStream } from './line-stream.ts';

/** The lines of events as a watch shows them: objects as themselves, as Tables or as metadata only. */
export interface Rendering {
  /** The line of an event, for as many watchers as want it. */
  readonly line: (type: string, stored: StoredObject) => Uint8Array;
  /** Adds the line of an event that is for this watcher only. */
  readonly add: (pieces: Pieces, type: string, stored: StoredObject) => void;
}

/** Initial events are sent in chunks of so many bytes or a little more: more than a socket takes without asking to wait. */
const INITIAL_CHUNK_BYTES = 256 * 1024;

/** Upstream: minRequestTimeout of the generic API server; a watch without timeoutSeconds ends after one to two of it. */
const MIN_REQUEST_TIMEOUT_SECONDS = 1800;
/** Upstream: bookmarkFrequency of the watch cache. */
const BOOKMARK_FREQUENCY_MS = 60_000;
/** Annotation of the bookmark that ends the initial events (meta/v1 InitialEventsAnnotationKey). */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Options of a streaming list that its initial list does not have. */
const NOT_OF_INITIAL_LIST = ['limit', 'continue', 'resourceVersion', 'resourceVersionMatch', 'sendInitialEvents'];

interface WatchRequest {
  /** Events after this revision; undefined: first what exists, then what happens. */
  readonly revision: number | undefined;
  readonly bookmarks: boolean;
  /** Ends the initial events with a marked bookmark. */
  readonly streamingList: boolean;
  readonly timeoutMs: number;
}

/** Starts the watch of the call. */
export async function watch(core: Core, call: Call, render: Rendering): Promise<LineStream> {
  const request = parseRequest(core, call);
  const lines = new LineStream(core.rounds);
  const feed = new Feed(core, call.scope, { selection: selectionOf(core, call), render, lines });
  try {
    // What happens after a revision that is yet to come can be waited for, what exists at it cannot.
    if (request.revision === undefined) reachedRevision(call.info.query, core.objects.store.revision());
    const start = request.revision ?? (await feed.sendInitial(call, request.streamingList));
    const prefix = listPrefix(call.scope, call.target.namespace);
    lines.onClose(
      core.objects.store.watch(prefix, start, (events, revision) => {
        if (revision > start) feed.send(events);
      }),
    );
    if (request.bookmarks) scheduleBookmarks(core, lines, () => feed.bookmark(Math.max(start, core.objects.store.revision())));
  } catch (thrown) {
    lines.end(errorLine(endOf(thrown, request).status));
    return lines;
  }
  const { clock } = core.options;
  lines.onClose(clock.setTimer(request.timeoutMs, () => lines.end()));
  const stop = (): void => lines.close();
  if (call.request.signal.aborted) lines.close();
  call.request.signal.addEventListener('abort', stop, { once: true });
  lines.onClose(() => call.request.signal.removeEventListener('abort', stop));
  return lines;
}

/** The error that ends a watch which had begun when it was found out; others are thrown. */
function endOf(thrown: unknown, { revision = 0 }: WatchRequest): ApiError {
  if (thrown instanceof CompactedError) return tooOldResourceVersion(revision, thrown.compactedRevision);
  if (thrown instanceof ApiError && thrown.code === 504) return thrown;
  throw thrown;
}

function parseRequest(core: Core, call: Call): WatchRequest {
  const { query } = call.info;
  const { random } = core.options;
  numberOption(query, 'limit');
  const asked = numberOption(query, 'timeoutSeconds') ?? 0;
  const timeoutSeconds = asked === 0 ? MIN_REQUEST_TIMEOUT_SECONDS + random.below(MIN_REQUEST_TIMEOUT_SECONDS) : Math.max(0, asked);
  const bookmarks = isOn(query, 'allowWatchBookmarks');
  const initial = checkWatchOptions(query);
  const revision = Number(revisionOption(query) ?? 0);
  return {
    revision: initial ? undefined : revision || core.objects.store.revision(),
    bookmarks,
    streamingList: bookmarks && initial,
    timeoutMs: timeoutSeconds * 1000,
  };
}

function scheduleBookmarks(core: Core, lines: LineStream, bookmark: () => Uint8Array): void {
  const { clock } = core.options;
  let cancel = (): void => {};
  const next = (): void => {
    lines.push(bookmark());
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
    for (const name of NOT_OF_INITIAL_LIST) query.delete(name);
    const { items, revision } = await listObjects(this.#core, { ...call, info: { ...call.info, query } });
    const { lines, render } = this.#sink;
    const count = items.length + (endWithBookmark ? 1 : 0);
    const add = (chunk: Pieces, at: number): void => {
      const item = items[at];
      if (item !== undefined) render.add(chunk, 'ADDED', item);
      else if (at < count) chunk.bytes(this.bookmark(revision, { [INITIAL_EVENTS_END]: 'true' }));
    };
    // Rendered before anything that happens meanwhile: the first event of a table brings the columns.
    const first = new Pieces();
    add(first, 0);
    lines.begin(this.#initialChunks(first, count, add));
    return revision;
  }

  /** Chunks of `count` events, of which `chunk` has the first; each is rendered when its turn comes. */
  *#initialChunks(chunk: Pieces, count: number, add: (chunk: Pieces, at: number) => void): Generator<Uint8Array, undefined> {
    const { lines } = this.#sink;
    try {
      let next = chunk;
      for (let at = 1; at < count; at++) {
        if (next.length >= INITIAL_CHUNK_BYTES) {
          yield next.joined();
          next = new Pieces();
        }
        add(next, at);
      }
      if (next.length > 0) yield next.joined();
    } catch (thrown) {
      lines.end(errorLine(internalError(asError(thrown).message).status));
    }
  }

  send(events: readonly StoreEvent[]): void {
    try {
      for (const event of events) {
        const line = this.#line(event);
        if (line !== undefined) this.#sink.lines.push(line);
      }
    } catch (thrown) {
      // The store tells all its watchers: one that fails must not keep the event from the others, nor go on without it.
      this.#sink.lines.end(errorLine(internalError(asError(thrown).message).status));
    }
  }

  #line(event: StoreEvent): Uint8Array | undefined {
    const { objects } = this.#core;
    const current = objects.current(event);
    const previous = objects.previous(event);
    const matches = current !== undefined && this.#matches(current);
    const matched = previous !== undefined && this.#matches(previous);
    if (matches) return this.#sink.render.line(matched ? 'MODIFIED' : 'ADDED', current);
    return matched ? this.#sink.render.line('DELETED', previous.deletedAt(event.revision)) : undefined;
  }

  /** Without a selection nothing has to be decoded. */
  #matches(stored: StoredObject): boolean {
    return this.#sink.selection === undefined || this.#sink.selection(stored);
  }

  /** The line of an event that says how far the watch has come: an object of the kind with nothing but its revision, as Go's zero value prints. */
  bookmark(revision: number, annotations?: Readonly<Record<string, string>>): Uint8Array {
    const { apiVersion, kind, schema } = this.#scope;
    const metadata = annotations === undefined ? {} : { annotations };
    const zero = toStorage(this.#scope, canonical({ apiVersion, kind: kind.kind, metadata }, schema));
    return this.#sink.render.line('BOOKMARK', new StoredObject(withMetadata(zero, { resourceVersion: String(revision) }), revision));
  }
}

/** Adds the line of an event, whose object `add` adds. */
export function addEventLine(line: Pieces, type: string, add: (line: Pieces) => void): void {
  line.text(`{"type":"${type}","object":`);
  add(line);
  line.text('}\n');
}

/** The line of an ERROR event. */
export function errorLine(status: unknown): Uint8Array {
  const line = new Pieces();
  addEventLine(line, 'ERROR', () => line.text(JSON.stringify(status)));
  return line.joined();
}
