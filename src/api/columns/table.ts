/** Ties columns to the cells of one kind's objects. */
import type { ApiObject } from '#machinery';
import type { Cell, TableColumns } from '../kind.ts';

/** The columns of kind T; `cells` are in their order. */
export function table<T extends ApiObject>(columns: TableColumns['columns'], cells: (object: T) => readonly Cell[]): TableColumns {
  // The registry hands each kind its own objects.
  return { columns, cells: (object) => cells(object as T) };
}
