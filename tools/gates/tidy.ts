/** The tidy gate: what no program above sees: folders and layer table agree, nothing is left lying about, nothing of a private machine is told. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, type Gate } from './gate.ts';
import { readLayers } from './layers.ts';

/** README: short enough to be read. */
const README_LINES_MAX = 150;
const LEFTOVER = /(?:\.(?:orig|rej|bak|tmp|swp)|~|\.log)$/;
/** Paths of somebody's machine, and words for unfinished work. */
const PRIVATE = [/\/(?:home|root|Users)\/\w+/, new RegExp(`/${'work'}/`), new RegExp(`\\b${'TO'}DO\\b|\\b${'FIX'}ME\\b|\\b${'X'}XX\\b`)];
const TEXT = /\.(?:ts|js|json|md|yaml|yml|proto|sh)$/;

/** Checks the tree as a whole. */
export const tidyGate: Gate = { name: 'tidy', run: (root) => Promise.resolve([...layerTable(root), ...leftovers(root), ...documents(root)]) };

function layerTable(root: string): readonly string[] {
  const layers = readLayers(root);
  const folders = new Set(filesBelow(root, 'src').map((path) => path.split('/')[1] ?? ''));
  const found = [...folders].filter((folder) => !layers.has(folder)).map((folder) => `src/${folder}: not in layers.json`);
  for (const [name, layer] of layers) {
    for (const other of layer.imports.filter((each) => each !== '*')) {
      const rank = layers.get(other)?.rank;
      if (rank === undefined) found.push(`layers.json: ${name} imports ${other}, which is no layer`);
      else if (rank > layer.rank) found.push(`layers.json: ${name} (rank ${layer.rank}) imports ${other} (rank ${rank}), which lies above it`);
    }
    if (folders.has(name) && name !== 'cmd' && !existsSync(join(root, 'src', name, 'index.ts'))) found.push(`src/${name}: no door (index.ts)`);
  }
  return found;
}

function leftovers(root: string): readonly string[] {
  return tracked(root).flatMap((path) => {
    if (LEFTOVER.test(path)) return [`${path}: a leftover`];
    if (!TEXT.test(path) || path.startsWith('test/vectors/') || path === 'package-lock.json') return [];
    const text = readFileSync(join(root, path), 'utf8');
    return PRIVATE.flatMap((pattern) => {
      const match = pattern.exec(text);
      return match === null ? [] : [`${path}: says "${match[0]}"`];
    });
  });
}

/** The files git would commit; in a folder that is no checkout, all of them. */
function tracked(root: string): readonly string[] {
  if (!existsSync(join(root, '.git'))) return filesBelow(root, '.');
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  return listed.split('\n').filter((path) => path !== '' && existsSync(join(root, path)));
}

function documents(root: string): readonly string[] {
  const readme = join(root, 'README.md');
  if (!existsSync(readme)) return ['README.md: missing'];
  const lines = readFileSync(readme, 'utf8').split('\n').length - 1;
  return lines > README_LINES_MAX ? [`README.md: ${lines} lines (at most ${README_LINES_MAX})`] : [];
}
