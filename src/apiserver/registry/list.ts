/** GET on a collection: pages at one revision, filtered by selectors. */
import { ApiError, badRequest, expired } from '#machinery';
import { CompactedError, type Entry, type RangeQuery, type RangeResult } from '#storage';
import { listPrefix, storageKey } from '../catalog.ts';
import type { Core } from '../options.ts';
import { tooLargeResourceVersion } from '../refusals.ts';
import type { Call } from './call.ts';
import { candidateEntries } from './candidates.ts';
import type { Collection, Span } from './collection.ts';
import { type Continuation, continueToken, parseContinueToken } from './continue-token.ts';
import { checkListOptions, numberOption, reachedRevision } from './list-options.ts';
import type { StoredObject } from './object-store.ts';
import { type Selection, selectedNamespace, selectionOf } from './selection.ts';

/** One page of a list: what stands in its metadata. */
export interface PageHead {
  readonly revision: number;
  readonly continue: string | undefined;
  /** Only without selectors, as upstream. */
  readonly remaining: number | undefined;
}

/** One page of a list. */
export interface Page extends PageHead {
  readonly items: readonly StoredObject[];
}

/** One page of a list of all objects of a place. */
export interface PageOfSpans extends PageHead {
  /** Right until the next await. */
  readonly spans: readonly Span[];
}

/**
 * Reads the page that `listObjects` does, as spans of the kind's collection where that has all of it, and hands it to `use`: spans are
 * right as long as nobody waits.
 */
export async function listPage<T>(core: Core, call: Call, use: (page: Page | PageOfSpans) => T | Promise<T>): Promise<T> {
  const reading = readingOf(core, call);
  if (reading.selection === undefined) {
    const page = pageOfSpans(core, await core.collections.of(call.scope.storagePrefix), reading);
    if (page !== undefined) return use(page);
  }
  return use(await readPage(core, call, reading));
}

/** How many objects are on the page. */
export function pageLength(page: Page | PageOfSpans): number {
  return 'items' in page ? page.items.length : page.spans.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** The objects of the page. */
export function pageItems(page: Pick<Page, 'items'> | Pick<PageOfSpans, 'spans'>): readonly StoredObject[] {
  return 'items' in page ? page.items : page.spans.flatMap(({ run, from, to }) => run.items.slice(from, to));
}

/** Reads the objects that the call's path, selectors, limit and continue token name; 422 for options that do not go together. */
export function listObjects(core: Core, call: Call): Promise<Page> {
  return listPage(core, call, (page) => ({ ...page, items: pageItems(page) }));
}

/** What is to be read. */
interface Reading extends Start {
  readonly selection: Selection | undefined;
  /** 0 for all. */
  readonly limit: number;
}

function readingOf(core: Core, call: Call): Reading {
  const { query } = call.info;
  checkListOptions(query);
  numberOption(query, 'timeoutSeconds');
  const limit = query.get('resourceVersion') === '0' ? 0 : Math.max(0, numberOption(query, 'limit') ?? 0);
  const selection = selectionOf(core, call);
  return { ...startOf(core, call, limit), selection, limit };
}

/** The page out of the collection; undefined where it tells of another time, or the time is forgotten. */
function pageOfSpans({ objects: { store } }: Core, collection: Collection, reading: Reading): PageOfSpans | undefined {
  const { prefix, startKey = '', limit } = reading;
  const revision = reading.revision ?? store.revision();
  if (revision < collection.changedAt || revision < store.compactedRevision()) return undefined;
  const { spans, remaining, lastKey } = collection.slice(prefix, startKey, limit > 0 ? limit : Infinity);
  return { spans, ...pageHead(reading, { revision, remaining, lastKey }) };
}

async function readPage(core: Core, call: Call, reading: Reading): Promise<Page> {
  const { limit, selection, tokenPrefix, prefix, revision, startKey } = reading;
  const range = { prefix, revision, startKey };
  if (selection === undefined) {
    const { entries, ...read } = await readRange(core, { ...range, ...(limit > 0 ? { limit } : {}) }, tokenPrefix);
    return { items: entries.map((entry) => core.objects.peek(entry)), ...pageHead(reading, { ...read, lastKey: entries.at(-1)?.key }) };
  }
  const candidates = await candidateEntries(core, call, range);
  const page = selectedPage(core, candidates ?? (await readRange(core, range, tokenPrefix)), { selection, limit, tokenPrefix });
  const full = limit > 0 && page.items.length === limit;
  return candidates === undefined || !full || page.continue !== undefined ? page : behindCandidates(core, call, page, { prefix, tokenPrefix });
}

/** The full page with the continue token that it had if all keys had been looked at: there is one where any follows. */
async function behindCandidates(core: Core, call: Call, page: Page, { prefix, tokenPrefix }: Pick<Start, 'prefix' | 'tokenPrefix'>): Promise<Page> {
  const { scope } = call;
  const { 'metadata.namespace': namespace = '', 'metadata.name': name = '' } = page.items.at(-1)?.selectable(scope.kind).fields ?? {};
  const startKey = `${storageKey(scope, namespace, name)}\0`;
  const { revision } = page;
  const { entries } = await readRange(core, { prefix, startKey, revision, limit: 1 }, tokenPrefix);
  return entries.length === 0 ? page : { ...page, continue: continueToken({ revision, startKey }, tokenPrefix) };
}

/** Where a page is read, and what its continue token is seen from. */
interface Start {
  readonly prefix: string;
  readonly tokenPrefix: string;
  readonly revision: number | undefined;
  readonly startKey: string | undefined;
}

/**
 * A field selector for one namespace narrows a list over all of them. The token of its first page is seen from the
 * namespace, but read as seen from all: the second page starts anew, as upstream's does (SelectionPredicate.MatchesSingleNamespace).
 */
function startOf(core: Core, call: Call, limit: number): Start {
  const { scope, target, info } = call;
  const whole = listPrefix(scope, target.namespace);
  const prefix = target.namespace === '' && scope.kind.namespaced ? listPrefix(scope, selectedNamespace(info.query) ?? '') : whole;
  const token = info.query.get('continue') ?? '';
  if (token === '') return { prefix, tokenPrefix: prefix, revision: startRevision(core, call, limit), startKey: undefined };
  const { revision, startKey } = continuation(core, token, whole);
  checkContinued(info.query);
  return { prefix, tokenPrefix: whole, revision, startKey: startKey.startsWith(prefix) ? startKey : undefined };
}

/** At which revision to read (undefined: now). */
function startRevision(core: Core, call: Call, limit: number): number | undefined {
  const { query } = call.info;
  const match = query.get('resourceVersionMatch') ?? '';
  const revision = reachedRevision(query, core.objects.store.revision());
  if (revision === undefined || revision === 0) return undefined;
  return match === 'Exact' || (match === '' && limit > 0) ? revision : undefined;
}

/** Where the token goes on; clients may have made it up. */
function continuation(core: Core, token: string, prefix: string): Continuation {
  const place = parseContinueToken(token, prefix);
  const current = core.objects.store.revision();
  if ((place.revision ?? 0) > current) throw tooLargeResourceVersion(place.revision ?? 0, current);
  return place;
}

/** A continued list has its revision in the token. */
function checkContinued(query: URLSearchParams): void {
  const revision = query.get('resourceVersion') ?? '';
  if (revision !== '' && revision !== '0') throw badRequest('specifying resource version is not allowed when using continue');
}

/** The 410 of a page whose revision is forgotten; its token goes on from the same place at whatever is there now. */
function expiredContinue(token: string): ApiError {
  const { status } = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  return new ApiError({ ...status, metadata: { continue: token } });
}

async function readRange(core: Core, query: RangeQuery, tokenPrefix: string): Promise<RangeResult> {
  try {
    return await core.objects.store.range(query);
  } catch (thrown) {
    if (!(thrown instanceof CompactedError)) throw thrown;
    if (query.startKey !== undefined) throw expiredContinue(continueToken({ revision: undefined, startKey: query.startKey }, tokenPrefix));
    throw expired('The resourceVersion for the provided list is too old.');
  }
}

interface PageLimits {
  readonly limit: number;
  readonly tokenPrefix: string;
}

/** The head of a page of a list without selectors. */
function pageHead(
  { limit, tokenPrefix }: PageLimits,
  { revision, remaining, lastKey }: Pick<RangeResult, 'revision' | 'remaining'> & { readonly lastKey: string | undefined },
): PageHead {
  const more = limit > 0 && remaining > 0;
  return {
    revision,
    continue: more ? continueToken({ revision, startKey: keyAfter(lastKey) }, tokenPrefix) : undefined,
    remaining: more ? remaining : undefined,
  };
}

/** A full page continues wherever keys remain, whether or not they match: only reading on would tell, as upstream. */
function selectedPage(
  core: Core,
  { entries, revision }: Pick<RangeResult, 'entries' | 'revision'>,
  { selection, limit, tokenPrefix }: PageLimits & { selection: Selection },
): Page {
  const items: StoredObject[] = [];
  let last: Entry | undefined;
  for (const entry of entries) {
    if (limit > 0 && items.length === limit) {
      return { items, revision, continue: continueToken({ revision, startKey: keyAfter(last?.key) }, tokenPrefix), remaining: undefined };
    }
    const stored = core.objects.peek(entry);
    if (selection(stored)) items.push(stored);
    last = entry;
  }
  return { items, revision, continue: undefined, remaining: undefined };
}

/** The first key that may follow another. */
function keyAfter(key = ''): string {
  return `${key}\0`;
}
