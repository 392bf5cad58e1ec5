/** Compiled CEL selectors, shared by all searches and bounded in number. */
import { compileSelector, type Selector } from '#cel';
import type { Features } from './features.ts';

/** Distinct selectors kept compiled. Upstream keeps 10 per scheduler, which a few device classes exhaust. */
export const SELECTORS_MAX = 512;

/** A compiled selector, or why it does not compile. */
export type CompiledSelector = { readonly key: string; readonly selector: Selector } | { readonly key: string; readonly error: string };

/** Keeps the most recently used selectors compiled. */
export class SelectorCache {
  readonly #compiled = new Map<string, CompiledSelector>();

  /** The compiled form; its key tells selectors apart that mean different things under different features. */
  compile(expression: string, features: Features): CompiledSelector {
    const key = `${features.listTypeAttributes ? 'L' : '-'}${features.consumableCapacity ? 'C' : '-'}${expression}`;
    const known = this.#compiled.get(key);
    if (known !== undefined) {
      this.#compiled.delete(key);
      this.#compiled.set(key, known);
      return known;
    }
    const compiled = compileFor(key, expression, features);
    this.#compiled.set(key, compiled);
    if (this.#compiled.size > SELECTORS_MAX) this.#forgetOldest();
    return compiled;
  }

  #forgetOldest(): void {
    for (const key of this.#compiled.keys()) {
      this.#compiled.delete(key);
      return;
    }
  }
}

/** Selectors in classes and claims were admitted once, so they are compiled as stored ones. */
function compileFor(key: string, expression: string, features: Features): CompiledSelector {
  const gates = new Map([
    ['DRAListTypeAttributes', features.listTypeAttributes],
    ['DRAConsumableCapacity', features.consumableCapacity],
  ]);
  const result = compileSelector(expression, { gates, mode: 'stored' });
  return result.ok ? { key, selector: result.selector } : { key, error: result.errors.join('\n') };
}
