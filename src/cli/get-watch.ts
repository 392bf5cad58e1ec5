/** `dray get --watch`: what is there, and then every change. */
import { setTimeout as delay } from 'node:timers/promises';
import { errorOfResponse, pathOf, type RestClient, type TransportRequest, watchEvents, type WatchEvent } from '#client';
import type { ApiObject } from '#machinery';
import { Discovery, type ServedResource } from './discovery.ts';
import { exchange, queryOf } from './exchange.ts';
import { acceptOf, checkTargets, type GetOptions, isTable, tableStyle } from './get-options.ts';
import { documentText, namesText, typed } from './object-text.ts';
import { type Table, TablePrinter } from './table.ts';
import { targetsOf } from './targets.ts';
import type { Terminal } from './terminal.ts';

/** Between the end of a watch that the server ended in due time and the next one. */
const WATCH_PAUSE_MS = 500;

/** Prints until `signal` aborts; rejects when the server cannot be reached any more. */
export async function getAndWatch(client: RestClient, options: GetOptions, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const targets = await targetsOf(new Discovery(client), options.words);
  checkTargets(targets, options);
  const [target, ...others] = targets;
  if (target === undefined || others.length > 0 || target.names.length > 1) throw new Error('--watch follows one resource type or one object');
  const [name] = target.names;
  const path = pathOf(target.resource, options.namespace);
  const query = { labelSelector: options.labelSelector, fieldSelector: name === undefined ? options.fieldSelector : `metadata.name=${name}` };
  const headers = acceptOf(options);
  const show = shower(target.resource, options);
  // The server answers a Table or a list, as the Accept header says.
  const list = (await exchange(client, path + queryOf(query), { headers })) as Table & { readonly items?: readonly ApiObject[] };
  for (const document of list.items ?? [list]) terminal.out(show(document));
  let resourceVersion = list.metadata?.resourceVersion;
  while (!signal.aborted) {
    const request = { method: 'GET', path: path + queryOf({ ...query, watch: 'true', resourceVersion }), headers } as const;
    for await (const { object } of eventsOf(client, request, signal)) {
      terminal.out(show(object));
      resourceVersion = revisionOf(object) ?? resourceVersion;
    }
    await delay(WATCH_PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}

type WatchedObject = Table & ApiObject;

async function* eventsOf(client: RestClient, request: TransportRequest, signal: AbortSignal): AsyncGenerator<WatchEvent<WatchedObject>> {
  try {
    const response = await client.raw(request, signal);
    if (response.status !== 200) throw await errorOfResponse(response);
    yield* watchEvents<WatchedObject>(response.body);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** How a Table or an object becomes text; rows of all Tables stand below each other. */
function shower(resource: ServedResource, options: GetOptions): (document: unknown) => string {
  const { format } = options;
  if (isTable(format)) {
    const printer = new TablePrinter(tableStyle(resource, options, false));
    return (document) => printer.print(document as Table);
  }
  return (document) => {
    const object = typed(resource, document as ApiObject);
    if (format === 'name') return namesText(resource, [object]);
    return (format === 'yaml' ? '---\n' : '') + documentText(object, format);
  };
}

/** The revision of an object, or of the object in a Table's last row. */
function revisionOf({ rows, metadata }: WatchedObject): string | undefined {
  return rows?.at(-1)?.object?.metadata?.resourceVersion ?? metadata.resourceVersion;
}
