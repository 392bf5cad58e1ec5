/** Building maps in loops: what transformMap and transformMapEntry expand to (cel-go ext/comprehensions.go). */
import { A, any, B, declare, type FunctionDeclaration, global, map } from '../declarations.ts';
import { goText } from '../go-values.ts';
import * as t from '../types.ts';
import { CelError, CelMap, type Entry, GrowingMap, type Value } from '../values.ts';

/** The map with more entries; a key that is there already is an error. */
function insert(into: CelMap, entries: Iterable<Entry>): Value {
  const grown = into instanceof GrowingMap ? into : new CelMap();
  if (grown !== into) for (const { key, value } of into.entries()) grown.set(key, value);
  for (const { key, value } of entries) {
    if (grown.has(key)) return new CelError(`insert failed: key ${goText(key)} already exists`);
    grown.set(key, value);
  }
  return grown;
}

/** The function that only macros can call. */
export const MAPS: readonly FunctionDeclaration[] = [
  declare(
    'cel.@mapInsert',
    global('@mapInsert_map_map', [map(A, B), map(A, B)], t.mapOf(A, B), (into, entries) => insert(into, entries.entries())),
    global('@mapInsert_map_key_value', [map(A, B), any(A), any(B)], t.mapOf(A, B), (into, key, value) => insert(into, [{ key, value }])),
  ),
];
