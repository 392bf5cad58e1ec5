/** What `dray get` is asked for, and what follows from that for requests and tables. */
import { kindText, type ServedResource } from './discovery.ts';
import { type TableStyle, TABLE_ACCEPT } from './table.ts';
import type { Target } from './targets.ts';

/** How `get` prints: as a table, a wider one, objects, or only their names. */
export const GET_FORMATS = ['table', 'wide', 'yaml', 'json', 'name'] as const;
/** One of them. */
export type GetFormat = (typeof GET_FORMATS)[number];

/** What to get. */
export interface GetOptions {
  /** As typed: TYPE, TYPE NAME…, TYPE,TYPE or TYPE/NAME…. */
  readonly words: readonly string[];
  /** Undefined: all namespaces. */
  readonly namespace: string | undefined;
  readonly format: GetFormat;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly noHeaders?: boolean | undefined;
}

/** Whether the server is asked for Tables. */
export function isTable(format: GetFormat): format is 'table' | 'wide' {
  return format === 'table' || format === 'wide';
}

/** The Accept header of the format. */
export function acceptOf({ format }: GetOptions): { accept: string } {
  return { accept: isTable(format) ? TABLE_ACCEPT : 'application/json' };
}

/** How a resource's Table is shown; `several`: below those of other resources. */
export function tableStyle(resource: ServedResource, { namespace, format, noHeaders = false }: GetOptions, several: boolean): TableStyle {
  const withNamespace = resource.namespaced && namespace === undefined;
  return { wide: format === 'wide', withNamespace, namePrefix: several ? `${kindText(resource)}/` : '', noHeaders };
}

/** Names exclude what would choose among objects; throws one sentence. */
export function checkTargets(targets: readonly Target[], { namespace, labelSelector, fieldSelector }: GetOptions): void {
  if (targets.every((target) => target.names.length === 0)) return;
  if (namespace === undefined && targets.some((target) => target.resource.namespaced)) {
    throw new Error('a resource cannot be retrieved by name across all namespaces');
  }
  if (labelSelector !== undefined || fieldSelector !== undefined) throw new Error('a selector cannot be used with names');
}
