/** Ties columns to the cells of one kind's objects. */
import type { ApiObject, Json } from '#machinery';
import type { TableColumns } from '../kind.ts';

/** The columns of kind T; `cells` are in their order. */
export function table<T extends ApiObject>(columns: TableColumns['columns'], cells: (object: T, nowMs: number) => readonly Json[]): TableColumns {
  // The registry hands each kind its own objects.
  return { columns, cells: (object, nowMs) => cells(object as T, nowMs) };
}
