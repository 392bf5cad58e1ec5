/** Prints the Tables that the server makes. */
import { alignColumns } from './columns.ts';

/** Asks for a Table; a server that has none for the kind answers with the object. */
export const TABLE_ACCEPT = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

/** meta.k8s.io/v1 Table, as far as it is printed. A watch sends the columns only with its first event. */
export interface Table {
  readonly metadata?: { readonly resourceVersion?: string };
  readonly columnDefinitions?: readonly Column[] | null;
  readonly rows?: readonly Row[] | null;
}

/** Priority 0 is always shown, others only when wide. */
interface Column {
  readonly name: string;
  readonly priority: number;
}

interface Row {
  readonly cells: readonly unknown[];
  readonly object?: { readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly resourceVersion?: string } };
}

/** How rows are shown. */
export interface TableStyle {
  readonly wide: boolean;
  /** A first column with the namespace. */
  readonly withNamespace: boolean;
  /** Written before names: `pod/` where several types are printed. */
  readonly namePrefix?: string;
  /** No line of column names. */
  readonly noHeaders?: boolean;
}

/** Turns Tables of one resource into text; remembers columns and their widths, so that a watch's rows stand below each other. */
export class TablePrinter {
  readonly #style: TableStyle;
  #columns: readonly Column[] = [];
  #widths: readonly number[] = [];
  #headed: boolean;

  constructor(style: TableStyle) {
    this.#style = style;
    this.#headed = style.noHeaders === true;
  }

  /** The lines of the tables' rows, together, below the column names if these were not printed yet; "" without rows. */
  print(...tables: readonly Table[]): string {
    const columns = tables.find((table) => (table.columnDefinitions ?? []).length > 0)?.columnDefinitions;
    if (columns !== undefined && columns !== null) this.#columns = columns;
    const rows = tables.flatMap((table) => table.rows ?? []);
    if (rows.length === 0) return '';
    const lines = rows.map((row) => this.#line(row));
    if (!this.#headed) lines.unshift(this.#header());
    this.#headed = true;
    const { text, widths } = alignColumns(lines, this.#widths);
    this.#widths = widths;
    return text;
  }

  #header(): string[] {
    const names = this.#shown(this.#columns.map((column) => column.name.toUpperCase()));
    return this.#style.withNamespace ? ['NAMESPACE', ...names] : names;
  }

  #line({ cells, object }: Row): string[] {
    const [name = '', ...others] = this.#shown(cells.map(cellText));
    const named = [`${this.#style.namePrefix ?? ''}${name}`, ...others];
    return this.#style.withNamespace ? [object?.metadata?.namespace ?? '', ...named] : named;
  }

  #shown(cells: readonly string[]): string[] {
    return cells.filter((_, index) => this.#style.wide || this.#columns[index]?.priority === 0);
  }
}

/** One line: what follows a line break is cut, as kubectl does. */
function cellText(cell: unknown): string {
  const [first = '', ...more] = (cell === null ? '<none>' : String(cell)).split(/[\n\f\r]/);
  return more.length === 0 ? first : `${first}...`;
}
