/** Prints rows as aligned columns, as kubectl does: three spaces between, no trailing blanks. */

const GAP = '   ';

/** Aligned lines, and the widths that their columns got. */
export interface AlignedColumns {
  readonly text: string;
  readonly widths: readonly number[];
}

/** One line per row, the header first; columns are at least as wide as `widths`. */
export function alignColumns(rows: readonly (readonly string[])[], widths: readonly number[] = []): AlignedColumns {
  const grown = [...widths];
  for (const row of rows) row.forEach((cell, index) => (grown[index] = Math.max(grown[index] ?? 0, cell.length)));
  const line = (row: readonly string[]): string => row.map((cell, index) => cell.padEnd(grown[index] ?? 0)).join(GAP);
  return { text: rows.map((row) => `${line(row).trimEnd()}\n`).join(''), widths: grown };
}
