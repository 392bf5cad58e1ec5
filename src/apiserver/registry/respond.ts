/** Objects, lists and their tables as answers. */
import type { Column, TableColumns } from '#api';
import { type ApiObject, badRequest, type Json, stringifyJson } from '#machinery';
import { acceptsAnyEncoding, negotiate, type Representation } from '../http/accept.ts';
import { encodedJsonResponse, type ServerResponse, rawJsonResponse } from '../http/message.ts';
import type { Core } from '../options.ts';
import { refusal } from '../refusals.ts';
import type { Call } from './call.ts';
import type { StoredObject } from './object-store.ts';
import { eventLine, type Rendering } from './watch.ts';

/** Metadata of a list answer. */
export interface ListHead {
  readonly revision: number;
  readonly continue?: string | undefined;
  readonly remaining?: number | undefined;
}

/** The columns of kinds that bring none (upstream: defaultTableConvertor). */
const DEFAULT_COLUMNS: TableColumns = {
  columns: [
    { name: 'Name', type: 'string', format: 'name', description: 'Name must be unique within a namespace.', priority: 0 },
    {
      name: 'Created At',
      type: 'date',
      format: '',
      description: 'CreationTimestamp is a timestamp representing the server time when this object was created.',
      priority: 0,
    },
  ],
  cells: (object) => [object.metadata.name ?? '', object.metadata.creationTimestamp ?? null],
};

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

/** Rows carry metadata, the whole object or nothing. */
function checkTable({ info: { query } }: Call): void {
  const include = query.get('includeObject') ?? '';
  if (['', 'Metadata', 'Object', 'None'].includes(include)) return;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** One object as answer. */
export function objectResponse(core: Core, call: Call, stored: StoredObject, status = 200): ServerResponse {
  const { shape, metaVersion } = wanted(call);
  switch (shape) {
    case 'Table':
      return rawJsonResponse(status, tableJson(core, call, [stored], { revision: stored.revision, metaVersion }));
    case 'PartialObjectMetadata':
      return rawJsonResponse(status, stringifyJson(partial(call, stored, metaVersion)));
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
      return rawJsonResponse(200, tableJson(core, call, items, { ...head, metaVersion }));
    case 'PartialObjectMetadata':
    case 'PartialObjectMetadataList': {
      const partials = items.map((item) => stringifyJson(partial(call, item, metaVersion))).join(',');
      return rawJsonResponse(
        200,
        `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${metaVersion}","metadata":${metadata},"items":[${partials}]}`,
      );
    }
    default: {
      const head = `{"kind":"${kind.kind}List","apiVersion":"${apiVersion}","metadata":${metadata},"items":[`;
      const objects = items.flatMap((item, at) => item.json(call.scope, { before: at === 0 ? '' : ',', typed: false }));
      return encodedJsonResponse(200, [head, ...objects, ']}']);
    }
  }
}

/** How the objects of a watch are written. Tables after the first leave their columns out, as upstream. */
export function watchRendering(core: Core, call: Call): Rendering {
  const { shape, metaVersion, encoding } = wanted(call);
  if (encoding !== 'json') throw notAcceptable(ACCEPTED.replace(/: .*/, ': application/json'));
  switch (shape) {
    case 'Table': {
      let first = true;
      return (type, stored) => {
        const json = tableJson(core, call, [stored], { revision: stored.revision, metaVersion, withoutColumns: !first });
        first = false;
        return eventLine(type, json);
      };
    }
    case 'PartialObjectMetadata':
    case 'PartialObjectMetadataList':
      return (type, stored) => eventLine(type, stringifyJson(partial(call, stored, metaVersion)));
    default:
      return (type, stored) => stored.eventLine(type, call.scope);
  }
}

function listMeta(head: ListHead): Json {
  return { resourceVersion: head.revision === 0 ? undefined : String(head.revision), continue: head.continue, remainingItemCount: head.remaining };
}

function partial(call: Call, stored: StoredObject, metaVersion: string): ApiObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${metaVersion}`, metadata: stored.in(call.scope).metadata };
}

interface TableHead extends ListHead {
  readonly metaVersion: string;
  readonly withoutColumns?: boolean;
}

function tableJson(core: Core, call: Call, items: readonly StoredObject[], head: TableHead): string {
  const table = call.scope.kind.table ?? DEFAULT_COLUMNS;
  const nowMs = core.options.clock.nowMs();
  const rows = items.map((item) => ({
    cells: table.cells(item.object, nowMs),
    conditions: table.conditions?.(item.object),
    object: rowObject(call, item, head.metaVersion),
  }));
  const columnDefinitions = head.withoutColumns !== true ? table.columns.map(columnDefinition) : [];
  return stringifyJson({ kind: 'Table', apiVersion: `meta.k8s.io/${head.metaVersion}`, metadata: listMeta(head), columnDefinitions, rows });
}

function columnDefinition({ name, type, format, description, priority }: Column): Json {
  return { name, type, format: format ?? '', description, priority };
}

/** What a row carries of its object, by includeObject: Metadata unless asked otherwise. */
function rowObject(call: Call, item: StoredObject, metaVersion: string): unknown {
  switch (call.info.query.get('includeObject') ?? '') {
    case 'None':
      return null;
    case 'Object':
      return item.in(call.scope);
    default:
      return partial(call, item, metaVersion);
  }
}
