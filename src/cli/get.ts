/** `dray get`: prints the Table that the server makes. */
import type { RestClient } from '#client';
import { alignColumns } from './columns.ts';
import { findResource, getJson, pathOf } from './discovery.ts';

/** What to get. */
export interface GetOptions {
  readonly resource: string;
  readonly name?: string | undefined;
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly wide: boolean;
  readonly labelSelector?: string | undefined;
}

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows?: readonly { readonly cells: readonly unknown[]; readonly object?: { readonly metadata?: { readonly namespace?: string } } }[];
}

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** The text to print, empty when nothing was found. */
export async function get(client: RestClient, options: GetOptions): Promise<string> {
  const resource = await findResource(client, options.resource);
  const query = options.labelSelector === undefined ? '' : `?labelSelector=${encodeURIComponent(options.labelSelector)}`;
  // The server answers a Table because it was asked for one.
  const table = (await getJson(client, `${pathOf(resource, options.namespace, options.name)}${query}`, TABLE)) as Table;
  const rows = table.rows ?? [];
  if (rows.length === 0) return '';
  const withNamespace = resource.namespaced && options.namespace === undefined;
  const shown = table.columnDefinitions.map((column) => options.wide || column.priority === 0);
  const header = table.columnDefinitions.filter((_, index) => shown[index]).map((column) => column.name.toUpperCase());
  const lines = rows.map(({ cells, object }) => {
    const texts = cells.filter((_, index) => shown[index]).map(String);
    return withNamespace ? [object?.metadata?.namespace ?? '', ...texts] : texts;
  });
  return alignColumns([withNamespace ? ['NAMESPACE', ...header] : header, ...lines]);
}
