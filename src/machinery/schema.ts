/** The schema port: what patches need to know of a kind's structure. `api` implements it over the schema data. */
import type { Json } from './meta.ts';

/** One place in an object's structure. */
export interface SchemaNode {
  /** `any` is free-form JSON, kept whole; bytes are base64 texts; times are strings (meta/v1 Time in whole seconds, MicroTime with six digits of fraction). */
  readonly type:
    | 'object'
    | 'map'
    | 'list'
    | 'string'
    | 'integer'
    | 'number'
    | 'boolean'
    | 'quantity'
    | 'int-or-string'
    | 'bytes'
    | 'time'
    | 'micro-time'
    | 'any';
  /** Upstream's Go type, as texts about undecodable values name it: `v1.DeviceRequest`, `[]string`, `int32`. */
  readonly goType: string;
  /** A scalar held by pointer: absent and zero differ. */
  readonly pointer: boolean;
  /** A member that JSON leaves out when it is empty or zero (Go's `omitempty`). */
  readonly omitsEmpty: boolean;
  /** What JSON shows where this member is absent, undefined when nothing; a structure that is held by value is `{}`. */
  readonly absent: Json | undefined;
  /** Of an object: the schema of a member, undefined when there is no such member. Of a map: the schema of its values. */
  field(name: string): SchemaNode | undefined;
  /** Names of an object's members. */
  readonly fieldNames: readonly string[];
  /** Members that must be present (OpenAPI `required`). */
  readonly required: readonly string[];
  /** Of a list: the schema of its elements. */
  readonly items: SchemaNode | undefined;
  /** Server-side apply: how a list merges. Lists without a marker are atomic. */
  readonly listType: 'atomic' | 'set' | 'map';
  readonly mapKeys: readonly string[];
  /** Server-side apply: an object or map replaced as a whole. */
  readonly atomic: boolean;
  /** Strategic merge patch: strategies (merge, replace, retainKeys) and the key of a merging list. */
  readonly patchStrategies: readonly string[];
  readonly patchMergeKey: string | undefined;
  readonly default: Json | undefined;
}
