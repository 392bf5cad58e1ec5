/** Objects, lists and their tables as answers. */
import { badRequest, type Json, stringifyJson } from '#machinery';
import { ANY_SHAPE, negotiate, type Representation, type Shape } from '../http/accept.ts';
import { encodedJsonResponse, type ServerResponse } from '../http/message.ts';
import { Pieces } from '../http/pieces.ts';
import type { Core } from '../options.ts';
import { refusal } from '../refusals.ts';
import type { Call } from './call.ts';
import { type Page, type PageOfSpans, pageItems } from './list.ts';
import { addItems, type ItemRendering } from './list-images.ts';
import type { StoredObject } from './object-store.ts';
import { type RowContent, addRow, addTable, addTableHead, type TableRequest } from './table.ts';
import { addEventLine, type Rendering } from './watch.ts';
import { yamlListResponse } from './yaml-list.ts';

/** Metadata of a list answer. */
export interface ListHead {
  readonly revision: number;
  readonly continue?: string | undefined;
  readonly remaining?: number | undefined;
}

/** Refuses with 406 what the client asks for where it is not made of this object. `shapes`: what is made of it. */
export function checkWanted(call: Call, shapes = shapesOf(call)): Representation {
  const found = negotiate(call.request.headers['accept'], shapes);
  if (found === undefined) throw notAcceptable(ACCEPTED);
  return found;
}

function shapesOf({ target: { subresource } }: Call): ReadonlySet<string> {
  return subresource === '' || subresource === 'scale' ? ANY_SHAPE : WITHOUT_TABLE;
}

/** The representation that the client asks for; 406 where an object is no list, or a list no object. */
function wanted(call: Call): Representation {
  const found = checkWanted(call);
  const { shape } = found;
  if (shape === 'Table') checkTable(call);
  if (shape === 'object' || shape === 'Table') return found;
  const { kind } = call.scope;
  const internal = `*${kind.group === '' ? 'core' : (kind.group.split('.')[0] ?? '')}.${kind.kind}`;
  const lists = call.target.verb === 'list' || call.target.verb === 'deletecollection';
  if (shape === 'PartialObjectMetadata' && lists) {
    throw notAcceptable(`you requested PartialObjectMetadata, but the requested object is a list (${internal}List)`);
  }
  if (shape === 'PartialObjectMetadataList' && !lists && call.target.verb !== 'watch') {
    throw notAcceptable(`you requested PartialObjectMetadataList, but the requested object is not a list (${internal})`);
  }
  return found;
}

/** Status endpoints offer no tables, and reviews neither. */
export const WITHOUT_TABLE: ReadonlySet<string> = new Set(['PartialObjectMetadata', 'PartialObjectMetadataList']);
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
  const pieces = new Pieces();
  if (shape === 'Table') addTable(pieces, [stored], tableRequest(core, call, stored, metaVersion));
  else if (shape === 'PartialObjectMetadata') stored.addPartial(pieces, call.scope, metaVersion);
  else stored.addJson(pieces, call.scope);
  return encodedJsonResponse(status, pieces);
}

/** A list as answer; what there is of `page` is read before the function returns. */
export function listResponse(
  core: Core,
  call: Call,
  page: ListHead & (Pick<Page, 'items'> | Pick<PageOfSpans, 'spans'>),
): ServerResponse | Promise<ServerResponse> {
  const { shape, metaVersion, encoding } = wanted(call);
  const pieces = new Pieces();
  if (shape === 'Table') addTableHead(pieces, tableRequest(core, call, page, metaVersion));
  else {
    const { kind, apiVersion } = shape === 'object' ? { kind: call.scope.kind.kind, apiVersion: call.scope.apiVersion } : partial(metaVersion);
    pieces.text(`{"kind":"${kind}List","apiVersion":"${apiVersion}","metadata":${stringifyJson(listMeta(page))},"items":[`);
  }
  const rendering = itemRendering(call, shape, metaVersion);
  const nowMs = core.options.clock.nowMs();
  if (encoding === 'yaml') {
    const items = pageItems(page);
    return yamlListResponse({
      head: pieces.text(']}').joined(),
      member: shape === 'Table' ? 'rows' : 'items',
      items: items.values().map((item) => itemJson(item, rendering, nowMs)),
      bytes: items.reduce((sum, { bytes }) => sum + bytes, 0),
    });
  }
  if ('items' in page) addItems(pieces, page.items, rendering, { isFirst: true, nowMs });
  else core.images.add(pieces, page.spans, rendering, nowMs);
  return encodedJsonResponse(200, pieces.text(']}'));
}

function itemJson(item: StoredObject, rendering: ItemRendering, nowMs: number): Uint8Array {
  const pieces = new Pieces();
  addItems(pieces, [item], rendering, { isFirst: true, nowMs });
  return pieces.joined();
}

function partial(metaVersion: string): { readonly kind: string; readonly apiVersion: string } {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${metaVersion}` };
}

function itemRendering(call: Call, shape: Shape, metaVersion: string): ItemRendering {
  const { scope } = call;
  if (shape === 'object') return { key: scope.apiVersion, add: (pieces, item) => item.addJson(pieces, scope, false) };
  const key = `${shape} ${metaVersion} ${scope.apiVersion}`;
  if (shape !== 'Table') return { key, add: (pieces, item) => item.addPartial(pieces, scope, metaVersion) };
  const request = { scope, metaVersion, content: rowContent(call) };
  return { key: `${key} ${request.content}`, add: (pieces, item, addAge) => addRow(pieces, item, request, addAge) };
}

/** How the objects of a watch are written. Tables after the first leave their columns out, as upstream. */
export function watchRendering(core: Core, call: Call): Rendering {
  const { shape, metaVersion, encoding } = wanted(call);
  if (encoding !== 'json') throw notAcceptable(ACCEPTED.replace(/: .*/, ': application/json'));
  const { scope } = call;
  switch (shape) {
    case 'Table': {
      let first = true;
      return alone((pieces, stored) => {
        addTable(pieces, [stored], { ...tableRequest(core, call, stored, metaVersion), withoutColumns: !first });
        first = false;
      });
    }
    case 'PartialObjectMetadata':
    case 'PartialObjectMetadataList':
      return alone((pieces, stored) => stored.addPartial(pieces, scope, metaVersion));
    default:
      return { ...alone((pieces, stored) => stored.addJson(pieces, scope)), line: (type, stored) => stored.eventLine(type, scope) };
  }
}

/** A rendering of each line for one watcher. */
function alone(addObject: (pieces: Pieces, stored: StoredObject) => void): Rendering {
  const add: Rendering['add'] = (pieces, type, stored) => addEventLine(pieces, type, () => addObject(pieces, stored));
  return {
    add,
    line: (type, stored) => {
      const pieces = new Pieces();
      add(pieces, type, stored);
      return pieces.joined();
    },
  };
}

function listMeta(head: ListHead): Json {
  return { resourceVersion: head.revision === 0 ? undefined : String(head.revision), continue: head.continue, remainingItemCount: head.remaining };
}

function tableRequest(core: Core, call: Call, head: ListHead, metaVersion: string): TableRequest {
  return { scope: call.scope, metaVersion, nowMs: core.options.clock.nowMs(), content: rowContent(call), metadata: listMeta(head) };
}

function rowContent({ info: { query } }: Call): RowContent {
  return ROW_CONTENTS.get(query.get('includeObject') ?? '') ?? 'Metadata';
}
