/** GET on a collection: pages at one revision, filtered by selectors. */
import { asError } from '#base';
import { badRequest, expired, parseJson } from '#machinery';
import { CompactedError, type Entry, type RangeQuery, type RangeResult } from '#storage';
import { listPrefix } from '../catalog.ts';
import type { Core } from '../options.ts';
import { tooLargeResourceVersion, tooOldResourceVersion } from '../refusals.ts';
import type { Call } from './call.ts';
import { isJsonObject } from './decode.ts';
import { checkListOptions, numberOption, revisionOption } from './list-options.ts';
import type { StoredObject } from './object-store.ts';
import { type Selection, selectionOf } from './selection.ts';

/** One page of a list. */
export interface Page {
  readonly items: readonly StoredObject[];
  readonly revision: number;
  readonly continue: string | undefined;
  /** Only without selectors, as upstream. */
  readonly remaining: number | undefined;
}

/** Reads the objects that the call's path, selectors, limit and continue token name; 422 for options that do not go together. */
export async function listObjects(core: Core, call: Call): Promise<Page> {
  const { query } = call.info;
  checkListOptions(query);
  numberOption(query, 'timeoutSeconds');
  const limit = query.get('resourceVersion') === '0' ? 0 : Math.max(0, numberOption(query, 'limit') ?? 0);
  const selection = selectionOf(call);
  const prefix = listPrefix(call.scope, call.target.namespace);
  const token = query.get('continue') ?? '';
  if (token !== '') checkContinued(query);
  const start = token === '' ? { revision: startRevision(core, call, limit), startKey: undefined } : parseContinue(token, prefix);
  const result = await readRange(core, { prefix, ...start, ...(selection === undefined && limit > 0 ? { limit } : {}) }, token !== '');
  return selection === undefined ? unselectedPage(core, result, limit) : selectedPage(core, result, { selection, limit });
}

/** At which revision to read (undefined: now). */
function startRevision(core: Core, call: Call, limit: number): number | undefined {
  const { query } = call.info;
  const match = query.get('resourceVersionMatch') ?? '';
  const revision = revisionOption(query);
  if (revision === undefined || revision === 0) return undefined;
  const current = core.objects.store.revision();
  if (revision > current) throw tooLargeResourceVersion(revision, current);
  return match === 'Exact' || (match === '' && limit > 0) ? revision : undefined;
}

/** A continued list has its revision in the token. */
function checkContinued(query: URLSearchParams): void {
  const revision = query.get('resourceVersion') ?? '';
  if (revision !== '' && revision !== '0') throw badRequest('specifying resource version is not allowed when using continue');
}

async function readRange(core: Core, query: RangeQuery, continued: boolean): Promise<RangeResult> {
  try {
    return await core.objects.store.range(query);
  } catch (thrown) {
    if (!(thrown instanceof CompactedError)) throw thrown;
    if (continued)
      throw expired('The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.');
    throw tooOldResourceVersion(query.revision ?? 0, thrown.compactedRevision);
  }
}

function unselectedPage(core: Core, { entries, revision, remaining }: RangeResult, limit: number): Page {
  const more = limit > 0 && remaining > 0;
  return {
    items: entries.map((entry) => core.objects.peek(entry)),
    revision,
    continue: more ? continueToken(entries.at(-1), revision) : undefined,
    remaining: more ? remaining : undefined,
  };
}

/** A full page continues wherever keys remain, whether or not they match: only reading on would tell, as upstream. */
function selectedPage(core: Core, { entries, revision }: RangeResult, { selection, limit }: { selection: Selection; limit: number }): Page {
  const items: StoredObject[] = [];
  let last: Entry | undefined;
  for (const entry of entries) {
    if (limit > 0 && items.length === limit) return { items, revision, continue: continueToken(last, revision), remaining: undefined };
    const stored = core.objects.peek(entry);
    if (selection(stored)) items.push(stored);
    last = entry;
  }
  return { items, revision, continue: undefined, remaining: undefined };
}

/** Where the next page starts: behind `last`, at the same revision. Opaque to clients. */
function continueToken(last: Entry | undefined, revision: number): string {
  const start = `${last?.key ?? ''}\0`;
  return btoa(unescapeBytes(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** btoa takes Latin-1 only; keys may hold any character. */
function unescapeBytes(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

function parseContinue(token: string, prefix: string): { revision: number; startKey: string } {
  try {
    const bytes = Uint8Array.from(atob(token.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
    const parsed = parseJson(new TextDecoder().decode(bytes));
    if (!isJsonObject(parsed) || typeof parsed['rv'] !== 'number' || typeof parsed['start'] !== 'string') throw new Error('members are missing');
    if (!parsed['start'].startsWith(prefix)) throw new Error('it belongs to another list');
    return { revision: parsed['rv'], startKey: parsed['start'] };
  } catch (thrown) {
    throw badRequest(`invalid continue token: continue key is not valid: ${asError(thrown).message}`);
  }
}
