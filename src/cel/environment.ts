/** Puts environments together: which libraries, macros and fields an expression may use under which gates. */
import { type Environment, functionTable } from './declarations.ts';
import { ADDRESSES } from './library/addresses.ts';
import { AUTHORIZERS } from './library/authorizer.ts';
import { CONVERSIONS } from './library/conversions.ts';
import { FORMATS } from './library/formats.ts';
import { FORMATTING } from './library/formatting.ts';
import { INCLUDES, QUANTITIES, SEMVERS } from './library/kubernetes.ts';
import { LISTS } from './library/lists.ts';
import { OPERATORS } from './library/operators.ts';
import { MAPS } from './library/maps.ts';
import { OPTIONALS } from './library/optionals.ts';
import { STRINGS } from './library/strings.ts';
import { TIMES } from './library/times.ts';
import { URLS } from './library/urls.ts';
import type { MacroSet } from './macros.ts';
import * as t from './types.ts';

/** The gates that shape the environment of new expressions. */
export interface CelFeatures {
  /** DRAConsumableCapacity: the field allowMultipleAllocations. */
  readonly consumableCapacity: boolean;
  /** DRAListTypeAttributes: attributes are `dyn`, and includes() exists. */
  readonly listTypeAttributes: boolean;
}

/** The macros of the dialect: all that Kubernetes 1.36 enables. */
export const MACROS: MacroSet = { optionals: true, bindings: true, twoVariables: true, lists: true };

const BASE = [AUTHORIZERS, MAPS, OPERATORS, CONVERSIONS, TIMES, OPTIONALS, QUANTITIES, SEMVERS, ADDRESSES, URLS, FORMATS, FORMATTING];

const TYPE_NAMES: ReadonlyMap<string, t.Type> = new Map([
  ['bool', t.BOOL],
  ['int', t.INT],
  ['uint', t.UINT],
  ['double', t.DOUBLE],
  ['string', t.STRING],
  ['bytes', t.BYTES],
  ['null_type', t.NULL],
  ['list', t.listOf(t.DYN)],
  ['map', t.mapOf(t.DYN, t.DYN)],
  ['type', t.TYPE],
  ['timestamp', t.TIMESTAMP],
  ['duration', t.DURATION],
  ['google.protobuf.Timestamp', t.TIMESTAMP],
  ['google.protobuf.Duration', t.DURATION],
  ['net.IP', t.IP],
  ['net.CIDR', t.CIDR],
  ['optional_type', t.optionalOf(t.DYN)],
  ['kubernetes.DRADevice', t.DEVICE],
]);

const kept = new Map<string, Environment>();

/** The environment for stored expressions (everything), or for new ones under the gates given. */
export function environmentFor(mode: 'new' | 'stored', features: CelFeatures): Environment {
  const all = mode === 'stored';
  const multiple = all || features.consumableCapacity;
  const lists = all || features.listTypeAttributes;
  const key = `${mode} ${multiple} ${lists}`;
  const environment = kept.get(key) ?? build(mode, multiple, lists);
  kept.set(key, environment);
  return environment;
}

/**
 * Where a value's type is still open, `indexOf` settles it by the first signature that fits: upstream declares those of
 * lists first for new expressions, those of strings first for stored ones (environment.NewEnvSet).
 */
function build(mode: 'new' | 'stored', multiple: boolean, lists: boolean): Environment {
  const searching = mode === 'new' ? [LISTS, STRINGS] : [STRINGS, LISTS];
  const attributeType = lists ? t.DYN : t.ANY;
  const deviceFields = new Map<string, t.Type>([
    ['driver', t.STRING],
    ['attributes', t.mapOf(t.STRING, t.mapOf(t.STRING, attributeType))],
    ['capacity', t.mapOf(t.STRING, t.mapOf(t.STRING, t.QUANTITY))],
  ]);
  if (multiple) deviceFields.set('allowMultipleAllocations', t.BOOL);
  return { functions: functionTable(...BASE, ...searching, ...(lists ? [INCLUDES] : [])), typeNames: TYPE_NAMES, deviceFields, attributeType };
}
