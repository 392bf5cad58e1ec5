// Preloaded by launch.js. Says where modules of the checkout are, since they say so themselves: `#layer` by the table of package.json,
// others by whole relative paths. Node's own search (a stat, a realpath and the package.json of every file) takes a fifth of an API server's start.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const root = new URL('../', import.meta.url).href;
const packages = `${root}node_modules/`;
const { imports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** The module of the checkout that one of its modules means; undefined for all others. */
function moduleOf(specifier, parent) {
  if (parent === undefined || !parent.startsWith(root) || parent.startsWith(packages)) return undefined;
  if (specifier.startsWith('#')) return imports[specifier] === undefined ? undefined : new URL(imports[specifier], root).href;
  return specifier.startsWith('.') && specifier.endsWith('.ts') ? new URL(specifier, parent).href : undefined;
}

registerHooks({
  resolve(specifier, context, next) {
    const url = moduleOf(specifier, context.parentURL);
    return url === undefined ? next(specifier, context) : { url, format: 'module-typescript', shortCircuit: true };
  },
});
