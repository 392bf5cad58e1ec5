// Preloaded by launch.js. Says where modules are that say so themselves: `#layer` by the table of package.json, others, also inside of packages, by a
// whole relative path. Node's own search (a stat, a realpath and the package.json of every file) takes a fifth of an API server's start.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const root = new URL('../', import.meta.url).href;
const packages = `${root}node_modules/`;
const { imports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** The module that one of the checkout or of its packages means; undefined where more than the name is to be known. */
function moduleOf(specifier, parent) {
  if (parent === undefined || !parent.startsWith(root)) return undefined;
  if (specifier.startsWith('.')) return /\.[jt]s$/.test(specifier) ? new URL(specifier, parent).href : undefined;
  if (!specifier.startsWith('#') || parent.startsWith(packages) || imports[specifier] === undefined) return undefined;
  return new URL(imports[specifier], root).href;
}

registerHooks({
  resolve(specifier, context, next) {
    const url = moduleOf(specifier, context.parentURL);
    if (url === undefined) return next(specifier, context);
    return { url, format: url.endsWith('.ts') ? 'module-typescript' : undefined, shortCircuit: true };
  },
});
