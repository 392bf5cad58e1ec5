/** Optional values (cel-go cel/library.go, OptionalTypes version 1 and later). */
import { A, any, B, builtIn, declare, type FunctionDeclaration, global, list, map, member, optional } from '../declarations.ts';
import * as t from '../types.ts';
import { CelError, CelMap, Duration, isList, NONE, Optional, Timestamp, Uint, type Value } from '../values.ts';

function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === '') return true;
  if (isList(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelMap) return value.size === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration) return value.nanos === 0n;
  // Go's zero time is the first moment of year 1.
  if (value instanceof Timestamp) return value.nanos === -62135596800n * 1_000_000_000n;
  return false;
}

const of = (value: Value): Value => new Optional(value);
const ofItem = (value: Value | undefined): Value => (value === undefined ? NONE : new Optional(value));
/** Functions on optional values and the operators that make them. */
export const OPTIONALS: readonly FunctionDeclaration[] = [
  declare('optional.of', global('optional_of', [any(A)], t.optionalOf(A), of)),
  declare(
    'optional.ofNonZeroValue',
    global('optional_ofNonZeroValue', [any(A)], t.optionalOf(A), (value) => (isZero(value) ? NONE : of(value))),
  ),
  declare(
    'optional.none',
    global('optional_none', [], t.optionalOf(A), () => NONE),
  ),
  declare(
    'value',
    member('optional_value', [optional(A)], A, (value) => (value.value === undefined ? new CelError('optional.none() dereference') : value.value)),
  ),
  declare(
    'hasValue',
    member('optional_hasValue', [optional(A)], t.BOOL, (value) => value.value !== undefined),
  ),
  declare('or', builtIn('member', 'optional_or_optional', [optional(A), optional(A)], t.optionalOf(A))),
  declare('orValue', builtIn('member', 'optional_orValue_value', [optional(A), any(A)], A)),
  declare('_?._', builtIn('global', 'select_optional_field', [any(t.DYN), any(t.STRING)], t.optionalOf(A))),
  declare(
    '_[?_]',
    builtIn('global', 'list_optindex_optional_int', [list(A), any(t.INT)], t.optionalOf(A)),
    builtIn('global', 'optional_list_optindex_optional_int', [optional(t.listOf(A)), any(t.INT)], t.optionalOf(A)),
    builtIn('global', 'map_optindex_optional_value', [map(A, B), any(A)], t.optionalOf(B)),
    builtIn('global', 'optional_map_optindex_optional_value', [optional(t.mapOf(A, B)), any(A)], t.optionalOf(B)),
  ),
  declare(
    '_[_]',
    builtIn('global', 'optional_list_index_int', [optional(t.listOf(A)), any(t.INT)], t.optionalOf(A)),
    builtIn('global', 'optional_map_index_value', [optional(t.mapOf(A, B)), any(A)], t.optionalOf(B)),
  ),
  declare(
    'first',
    member('list_first', [list(A)], t.optionalOf(A), (values) => ofItem(values[0])),
  ),
  declare(
    'last',
    member('list_last', [list(A)], t.optionalOf(A), (values) => ofItem(values.at(-1))),
  ),
];
