/** The query of lists and watches: read, and checked as upstream's ValidateListOptions does. */
import { FieldErrors } from '#api';
import { badRequest, goQuote, requestEntityTooLarge } from '#machinery';
import { isOn } from '../http/request-info.ts';
import { invalidOptions, tooLargeResourceVersion } from '../refusals.ts';

/** The range of Go's int64 and uint64. */
const [INT64_MIN, INT64_MAX, UINT64_MAX] = [-(2n ** 63n), 2n ** 63n - 1n, 2n ** 64n - 1n];

/** Parses a whole number of the query as Go's int64; undefined when it is absent. */
export function numberOption(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const refuse = (why: string): Error => badRequest(`strconv.ParseInt: parsing ${goQuote(text)}: ${why}`);
  if (!/^[-+]?\d+$/.test(text)) throw refuse('invalid syntax');
  const value = BigInt(text.replace('+', ''));
  if (value < INT64_MIN || value > INT64_MAX) throw refuse('value out of range');
  return Number(value);
}

/** The resourceVersion of a read as a revision, as Go's uint64; absent or empty: undefined. */
export function revisionOption(query: URLSearchParams): bigint | undefined {
  const text = query.get('resourceVersion') ?? '';
  if (text === '') return undefined;
  const quoted = goQuote(text);
  const refuse = (why: string): Error =>
    badRequest(`invalid resource version: resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${why}`);
  if (!/^\d+$/.test(text)) throw refuse('invalid syntax');
  const value = BigInt(text);
  if (value > UINT64_MAX) throw refuse('value out of range');
  return value;
}

/** The resourceVersion of a read that cannot wait; 504 while it is yet to come. */
export function reachedRevision(query: URLSearchParams, current: number): number | undefined {
  const revision = revisionOption(query);
  if (revision === undefined) return undefined;
  if (revision > BigInt(current)) throw tooLargeResourceVersion(revision, current);
  return Number(revision);
}

/** The boolean sendInitialEvents, undefined when it is not given. */
function sendInitialEvents(query: URLSearchParams): boolean | undefined {
  return query.has('sendInitialEvents') ? isOn(query, 'sendInitialEvents') : undefined;
}

const MATCH = 'resourceVersionMatch';
const EXACT = 'Exact';
const NOT_OLDER_THAN = 'NotOlderThan';

/** Refuses options of a list that do not go together. */
export function checkListOptions(query: URLSearchParams): void {
  const errors = new FieldErrors();
  const [match, revision] = [query.get(MATCH) ?? '', query.get('resourceVersion') ?? ''];
  if (match !== '') {
    if (revision === '') errors.forbidden(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`);
    if (continues(query)) errors.forbidden(MATCH, `${MATCH} is forbidden when continue is provided`);
    if (match !== EXACT && match !== NOT_OLDER_THAN) errors.notSupported(MATCH, match, [EXACT, NOT_OLDER_THAN, '']);
    if (match === EXACT && revision === '0') errors.forbidden(MATCH, `${MATCH} "exact" is forbidden for resourceVersion "0"`);
  }
  if (sendInitialEvents(query) !== undefined) errors.forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list');
  refuse(errors);
}

/**
 * Refuses options of a watch that do not go together. True when it begins with what exists: that is what a watch from nowhere has
 * always meant (upstream: SetListOptionsDefaults).
 */
export function checkWatchOptions(query: URLSearchParams): boolean {
  const errors = new FieldErrors();
  const [asked, revision, given] = [query.get(MATCH) ?? '', query.get('resourceVersion') ?? '', sendInitialEvents(query)];
  const fromNowhere = given === undefined && asked === '' && (revision === '' || revision === '0');
  const initial = fromNowhere ? true : given;
  const match = fromNowhere ? NOT_OLDER_THAN : asked;
  if (initial !== undefined && match !== NOT_OLDER_THAN) errors.forbidden(MATCH, `sendInitialEvents requires setting ${MATCH} to ${NOT_OLDER_THAN}`);
  if (match !== '') {
    if (initial === undefined) errors.forbidden(MATCH, `${MATCH} is forbidden for watch unless sendInitialEvents is provided`);
    if (match !== NOT_OLDER_THAN) errors.notSupported(MATCH, match, [NOT_OLDER_THAN]);
    if (continues(query)) errors.forbidden(MATCH, `${MATCH} is forbidden when continue is provided`);
  }
  refuse(errors);
  return initial === true;
}

function continues(query: URLSearchParams): boolean {
  return (query.get('continue') ?? '') !== '';
}

function refuse({ list }: FieldErrors): void {
  if (list.length > 0) throw invalidOptions('ListOptions', list);
}

/** What one answer may list: as a table such a list nears the longest text that there can be. */
export const LIST_ITEMS_MAX = 500_000;

/** Refuses an answer of more items with 413. */
export function checkListLength(items: number): void {
  if (items <= LIST_ITEMS_MAX) return;
  throw requestEntityTooLarge(`the list has ${String(items)} items, limit is ${String(LIST_ITEMS_MAX)}: ask for pages with the parameter limit`);
}
