/** Quantity, Semver and includes(): what Kubernetes adds for devices. */
import { parseQuantity, Quantity, QuantityError, Semver, SemverError } from '#machinery';
import { any, bool, declare, type FunctionDeclaration, global, int, member, quantity, semver, str } from '../declarations.ts';
import { equal } from '../equality.ts';
import * as t from '../types.ts';
import { calculated, CelError, isList, type Value } from '../values.ts';

function readQuantity(text: string): Quantity | CelError {
  try {
    return Quantity.parse(text);
  } catch (thrown) {
    if (thrown instanceof QuantityError) return new CelError(thrown.message);
    throw thrown;
  }
}

function readSemver(text: string, normalize: boolean): Semver | CelError {
  try {
    return normalize ? Semver.readTolerant(text) : Semver.read(text);
  } catch (thrown) {
    if (thrown instanceof SemverError) return new CelError(thrown.message);
    throw thrown;
  }
}

/** Results of comparisons. */
const ORDERS = [-1n, 0n, 1n];

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);

/** The quantity library (pkg/cel/library/quantity.go). */
export const QUANTITIES: readonly FunctionDeclaration[] = [
  declare('quantity', global('string_to_quantity', [str], t.QUANTITY, readQuantity)),
  declare(
    'isQuantity',
    global('is_quantity_string', [str], t.BOOL, (text) => parseQuantity(text) !== undefined),
  ),
  declare(
    'sign',
    global('quantity_sign', [quantity], t.INT, (a) => BigInt(a.sign())),
  ),
  declare(
    'isGreaterThan',
    member('quantity_is_greater_than', [quantity, quantity], t.BOOL, (a, b) => a.compare(b) > 0),
  ),
  declare(
    'isLessThan',
    member('quantity_is_less_than', [quantity, quantity], t.BOOL, (a, b) => a.compare(b) < 0),
  ),
  declare(
    'compareTo',
    member('quantity_compare_to', [quantity, quantity], t.INT, (a, b) => ORDERS[a.compare(b) + 1] ?? 0n),
  ),
  declare(
    'asApproximateFloat',
    member('quantity_get_float', [quantity], t.DOUBLE, (a) => a.approximate()),
  ),
  declare(
    'asInteger',
    member('quantity_get_int', [quantity], t.INT, (a) => a.asInt64() ?? new CelError('cannot convert value to integer')),
  ),
  declare(
    'isInteger',
    member('quantity_is_integer', [quantity], t.BOOL, (a) => a.asInt64() !== undefined),
  ),
  declare(
    'add',
    member('quantity_add', [quantity, quantity], t.QUANTITY, (a, b) => calculated(a.add(b))),
    member('quantity_add_int', [quantity, int], t.QUANTITY, (a, b) => calculated(a.add(Quantity.of(b, 'DecimalExponent')))),
  ),
  declare(
    'sub',
    member('quantity_sub', [quantity, quantity], t.QUANTITY, (a, b) => calculated(a.sub(b))),
    member('quantity_sub_int', [quantity, int], t.QUANTITY, (a, b) => calculated(a.sub(Quantity.of(b, 'DecimalExponent')))),
  ),
];

/** The semver library (pkg/cel/library/semverlib.go). */
export const SEMVERS: readonly FunctionDeclaration[] = [
  declare(
    'semver',
    global('string_to_semver', [str], t.SEMVER, (text) => readSemver(text, false)),
    global('string_bool_to_semver', [str, bool], t.SEMVER, readSemver),
  ),
  declare(
    'isSemver',
    global('is_semver_string', [str], t.BOOL, (text) => !(readSemver(text, false) instanceof CelError)),
    global('is_semver_string_bool', [str, bool], t.BOOL, (text, normalize) => !(readSemver(text, normalize) instanceof CelError)),
  ),
  declare(
    'isGreaterThan',
    member('semver_is_greater_than', [semver, semver], t.BOOL, (a, b) => a.compare(b) > 0),
  ),
  declare(
    'isLessThan',
    member('semver_is_less_than', [semver, semver], t.BOOL, (a, b) => a.compare(b) < 0),
  ),
  declare(
    'compareTo',
    member('semver_compare_to', [semver, semver], t.INT, (a, b) => ORDERS[a.compare(b) + 1] ?? 0n),
  ),
  declare(
    'major',
    member('semver_major', [semver], t.INT, (a) => wrap(a.major)),
  ),
  declare(
    'minor',
    member('semver_minor', [semver], t.INT, (a) => wrap(a.minor)),
  ),
  declare(
    'patch',
    member('semver_patch', [semver], t.INT, (a) => wrap(a.patch)),
  ),
];

/** `x.includes(y)`: membership in a list, equality with anything else. */
export const INCLUDES: readonly FunctionDeclaration[] = [
  declare(
    'includes',
    member('list_includes_dyn_dyn', [any(t.DYN), any(t.DYN)], t.BOOL, (value, sought): Value =>
      isList(value) ? value.some((item) => equal(item, sought) === true) : equal(value, sought) === true,
    ),
  ),
];
