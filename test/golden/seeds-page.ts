/** The tables of docs/seeds.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The checkout. */
export const ROOT = join(import.meta.dirname, '../..');
/** Where the page is. */
export const PAGE = join(ROOT, 'docs/seeds.md');

/** One statement of an article. */
export interface Row {
  readonly statement: string;
  /** Commands, each in backquotes. */
  readonly commands: readonly string[];
  /** Cells of "proven by": tests, or one that begins with "pending". */
  readonly proofs: readonly string[];
}

/** The text of the page. */
export const readPage = (): string => readFileSync(PAGE, 'utf8');

/** The rows of all tables of three columns, without their heads. */
export function rowsOf(page: string): readonly Row[] {
  return page.split('\n').flatMap((line) => {
    const [, statement, commands, proofs, after, more] = line.split('|').map((cell) => cell.trim());
    if (statement === undefined || commands === undefined || proofs === undefined || after !== '' || more !== undefined) return [];
    return statement === 'statement' || statement.startsWith('---') ? [] : [{ statement, commands: commands.split('<br>'), proofs: proofs.split('<br>') }];
  });
}

/** All commands of the page, once each, without backquotes. */
export function commandsOf(page: string): readonly string[] {
  return [...new Set(rowsOf(page).flatMap((row) => row.commands.map((cell) => /^`([^`]+)`$/.exec(cell)?.[1] ?? `not in backquotes: ${cell}`)))];
}
