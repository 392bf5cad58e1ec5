/** What a gate of the check is: a name and a function from a checkout to the violations in it. */
import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** One gate of `npm run check`. */
export interface Gate {
  readonly name: string;
  /** One line per violation, each naming the file; empty when the gate is content. */
  run(root: string): Promise<readonly string[]>;
}

const SKIPPED = new Set(['node_modules', '.git', 'dist', '.dray']);

/** Every file below `folder` of the checkout as a path relative to `root` with forward slashes, in order. */
export function filesBelow(root: string, folder: string): string[] {
  const found: string[] = [];
  const visit = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (SKIPPED.has(entry.name)) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path);
      else found.push(relative(root, path).split(sep).join('/'));
    }
  };
  visit(join(root, folder));
  return found;
}
