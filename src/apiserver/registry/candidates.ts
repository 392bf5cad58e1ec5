/** Which objects a list with selectors has to look at: those that a name or an index finds, instead of all. */
import { compareKeys, type RangeQuery, type RangeResult } from '#storage';
import type { Core } from '../options.ts';
import type { Call } from './call.ts';
import type { FieldIndex } from './field-index.ts';
import { requiredValues } from './selection.ts';

/** The entries that include all those which the call wants of the range; undefined when only looking at the whole range tells. */
export async function candidateEntries(core: Core, call: Call, range: RangeQuery): Promise<Pick<RangeResult, 'entries' | 'revision'> | undefined> {
  const { kind } = call.scope;
  const required = requiredValues(call);
  const indexed = kind.indexedFields?.some((field) => required.has(field)) === true;
  const index = indexed ? await core.indexes.of(call.scope) : undefined;
  const { store } = core.objects;
  // Indexes and keys tell what is there now.
  if (range.revision !== undefined && range.revision !== store.revision()) return undefined;
  const keys = named(call, required, range.prefix) ?? fewest(index, required, range.prefix);
  return keys === undefined ? undefined : store.getMany(keys.filter((key) => compareKeys(key, range.startKey ?? '') >= 0));
}

/** The key of the one name that is wanted, where the prefix is all that comes before names. */
function named({ scope }: Call, required: ReadonlyMap<string, string>, prefix: string): readonly string[] | undefined {
  const name = required.get('metadata.name');
  return name === undefined || (scope.kind.namespaced && prefix === scope.storagePrefix) ? undefined : [`${prefix}${name}`];
}

/** The keys of the required value that the fewest objects have. */
function fewest(index: FieldIndex | undefined, required: ReadonlyMap<string, string>, prefix: string): readonly string[] | undefined {
  let keys: readonly string[] | undefined;
  for (const [field, value] of required) {
    const having = index?.keys(field, value, prefix);
    if (having !== undefined && having.length < (keys?.length ?? Infinity)) keys = having;
  }
  return keys;
}
