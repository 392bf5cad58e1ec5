/** Builds a kind from what differs: the usual answers (one version, no subresources, PUT creates) are filled in. */
import type { ApiObject } from '#machinery';
import { canonical } from '../canonical.ts';
import type { Kind, KindVersion, StrategyContext } from '../kind.ts';
import { schemaOf } from '../schema.ts';

/** What every kind must say; the rest has an answer that fits most kinds. */
export type KindFacts = Pick<Kind, 'group' | 'kind' | 'plural' | 'versions' | 'namespaced'> & Partial<Kind>;

/** A kind with the usual answers filled in; the first version listed is the one stored. */
export function defineKind(facts: KindFacts): Kind {
  return {
    singular: facts.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    storageVersion: facts.versions[0]?.version ?? 'v1',
    subresources: [],
    generation: false,
    createOnUpdate: true,
    ...facts,
  };
}

/** Fills defaults that OpenAPI does not tell. */
export type Defaults = (object: ApiObject, context: StrategyContext) => ApiObject;

/** A version whose defaults are those of its structure, then `more`. */
export function version(name: string, definition: string, more?: Defaults, conversion: Pick<KindVersion, 'toStorage' | 'fromStorage'> = {}): KindVersion {
  const defaults: Defaults = (object, context) => {
    const plain = canonical(object, schemaOf(definition));
    return more === undefined ? plain : more(plain, context);
  };
  return { version: name, definition, defaults, ...conversion };
}
