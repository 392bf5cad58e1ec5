/** Objects, lists and their tables as answers. */
import { badRequest, type Json, stringifyJson } from '#machinery';
import { acceptsAnyEncoding, negotiate, type Representation } from '../http/accept.ts';
import { encodedJsonResponse, type ServerResponse } from '../http/message.ts';
import type { Piece } from '../http/pieces.ts';
import type { Core } from '../options.ts';
import { refusal } from '../refusals.ts';
import type { Call } from './call.ts';
import type { StoredObject } from './object-store.ts';
import { type RowContent, tableJson, type TableRequest } from './table.ts';
import { eventLine, type Rendering } from './watch.ts';

/** Metadata of a list answer. */
export interface ListHead {
  readonly revision: number;
  readonly continue?: string | undefined;
  readonly remaining?: number | undefined;
}

/** The representation that the client asks for; 406 when there is none. */
function wanted(call: Call): Representation {
  const { accept } = call.request.headers;
  if (!acceptsAnyEncoding(accept)) throw refusal(406, 'NotAcceptable', UNAVAILABLE, {});
  const representation = negotiate(accept, offersTable(call));
  if (representation === undefined) throw notAcceptable(ACCEPTED);
  const { shape } = representation;
  const { kind } = call.scope;
  if (shape === 'Table') checkTable(call);
  const internal = `*${kind.group === '' ? 'core' : (kind.group.split('.')[0] ?? '')}.${kind.kind}`;
  const { verb } = call.target;
  if (shape === 'PartialObjectMetadata' && verb === 'list') {
    throw notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${internal}List)`);
  }
  if (shape === 'PartialObjectMetadataList' && verb === 'get') {
    throw notAcceptable(`you requested PartialObjectMetadataList, but the requested object is not a list (${internal})`);
  }
  return representation;
}

/** Status endpoints offer none. */
function offersTable({ target: { subresource } }: Call): boolean {
  return subresource === '' || subresource === 'scale';
}

/** Upstream refuses an unknown media type before it looks at what shall be made of the object; hence two texts. */
const UNAVAILABLE = '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/json;stream=watch';
const ACCEPTED = 'only the following media types are accepted: application/json, application/yaml';

function notAcceptable(message: string): Error {
  return refusal(406, 'NotAcceptable', message);
}

/** What rows carry, by includeObject. */
const ROW_CONTENTS: ReadonlyMap<string, RowContent> = new Map([
  ['', 'Metadata'],
  ['Metadata', 'Metadata'],
  ['Object', 'Object'],
  ['None', 'None'],
]);

function checkTable({ info: { query } }: Call): void {
  const include = query.get('includeObject') ?? '';
  if (ROW_CONTENTS.has(include)) return;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** One object as answer. */
export function objectResponse(core: Core, call: Call, stored: StoredObject, status = 200): ServerResponse {
  const { shape, metaVersion } = wanted(call);
  switch (shape) {
    case 'Table':
      return encodedJsonResponse(status, tableJson([stored], tableRequest(core, call, stored, metaVersion)));
    case 'PartialObjectMetadata':
      return encodedJsonResponse(status, stored.partial(call.scope, metaVersion));
    default:
      return encodedJsonResponse(status, stored.json(call.scope));
  }
}

/** A list as answer. */
export function listResponse(core: Core, call: Call, items: readonly StoredObject[], head: ListHead): ServerResponse {
  const { kind, apiVersion } = call.scope;
  const metadata = stringifyJson(listMeta(head));
  const { shape, metaVersion } = wanted(call);
  switch (shape) {
    case 'Table':
      return encodedJsonResponse(200, tableJson(items, tableRequest(core, call, head, metaVersion)));
    case 'PartialObjectMetadata':
    case 'PartialObjectMetadataList': {
      const before = `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${metaVersion}","metadata":${metadata},"items":[`;
      return encodedJsonResponse(
        200,
        listed(before, items, (item, comma) => item.partial(call.scope, metaVersion, comma)),
      );
    }
    default: {
      const before = `{"kind":"${kind.kind}List","apiVersion":"${apiVersion}","metadata":${metadata},"items":[`;
      return encodedJsonResponse(
        200,
        listed(before, items, (item, comma) => item.json(call.scope, { before: comma, typed: false })),
      );
    }
  }
}

/** The pieces of a list: its head, its items with what comes before each, its end. */
function listed(head: string, items: readonly StoredObject[], piecesOf: (item: StoredObject, before: string) => readonly Piece[]): Piece[] {
  const pieces: Piece[] = [head];
  let before = '';
  for (const item of items) {
    for (const piece of piecesOf(item, before)) pieces.push(piece);
    before = ',';
  }
  pieces.push(']}');
  return pieces;
}

/** How the objects of a watch are written. Tables after the first leave their columns out, as upstream. */
export function watchRendering(core: Core, call: Call): Rendering {
  const { shape, metaVersion, encoding } = wanted(call);
  if (encoding !== 'json') throw notAcceptable(ACCEPTED.replace(/: .*/, ': application/json'));
  switch (shape) {
    case 'Table': {
      let first = true;
      return (type, stored) => {
        const table = tableJson([stored], { ...tableRequest(core, call, stored, metaVersion), withoutColumns: !first });
        first = false;
        return eventLine(type, table);
      };
    }
    case 'PartialObjectMetadata':
    case 'PartialObjectMetadataList':
      return (type, stored) => eventLine(type, stored.partial(call.scope, metaVersion));
    default:
      return (type, stored) => stored.eventLine(type, call.scope);
  }
}

function listMeta(head: ListHead): Json {
  return { resourceVersion: head.revision === 0 ? undefined : String(head.revision), continue: head.continue, remainingItemCount: head.remaining };
}

function tableRequest(core: Core, call: Call, head: ListHead, metaVersion: string): TableRequest {
  const content = ROW_CONTENTS.get(call.info.query.get('includeObject') ?? '') ?? 'Metadata';
  return { scope: call.scope, metaVersion, nowMs: core.options.clock.nowMs(), content, metadata: listMeta(head) };
}
