/** The structure of every definition, read from the recorded OpenAPI data through machinery's schema port. */
import type { Json, SchemaNode } from '#machinery';
import raw from './schema/definitions.json' with { type: 'json' };
import { goMember } from './schema/go-members.ts';

/** A schema of the recorded OpenAPI v3 documents; only the members that occur there. */
export interface OpenApiSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly default?: Json;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly allOf?: readonly OpenApiSchema[];
  readonly oneOf?: readonly OpenApiSchema[];
  readonly items?: OpenApiSchema;
  readonly properties?: Readonly<Record<string, OpenApiSchema>>;
  readonly additionalProperties?: OpenApiSchema;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-patch-strategy'?: string;
  readonly 'x-kubernetes-patch-merge-key'?: string;
  readonly 'x-kubernetes-group-version-kind'?: readonly { readonly group: string; readonly version: string; readonly kind: string }[];
}

// The generator writes nothing but such schemas; the type inferred from 260 kB of JSON is of no use.
/** All definitions by name, e.g. `io.k8s.api.resource.v1.ResourceClaim`. References read `#/components/schemas/NAME`. */
export const definitions: Readonly<Record<string, OpenApiSchema>> = raw as unknown as Readonly<Record<string, OpenApiSchema>>;

const REF_PREFIX = '#/components/schemas/';
/** Definitions that are scalars of their own. */
const SCALARS: ReadonlyMap<string | undefined, SchemaNode['type']> = new Map([
  ['io.k8s.apimachinery.pkg.api.resource.Quantity', 'quantity'],
  ['io.k8s.apimachinery.pkg.util.intstr.IntOrString', 'int-or-string'],
  ['io.k8s.apimachinery.pkg.apis.meta.v1.Time', 'time'],
  ['io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime', 'micro-time'],
]);
/** Structures without members, which free-form objects look like. */
const MEMBERLESS: ReadonlySet<string | undefined> = new Set(['io.k8s.api.scheduling.v1alpha2.BasicSchedulingPolicy']);
/** Go's names of scalars where they differ from the type of the node. */
const GO_SCALARS: Readonly<Partial<Record<SchemaNode['type'], string>>> = {
  boolean: 'bool',
  bytes: '[]uint8',
  quantity: 'resource.Quantity',
  time: 'string',
  'micro-time': 'string',
  'int-or-string': 'intstr.IntOrString',
};
/** Maps of resource.k8s.io whose keys are a Go type of their own. */
const QUALIFIED_MAPS: ReadonlySet<string> = new Set(['attributes', 'capacity', 'requests', 'consumedCapacity']);
const cache = new Map<string, SchemaNode>();

/** The structure of a definition. Nodes are built on first use and kept; throws RangeError on an unknown name. */
export function schemaOf(definitionName: string): SchemaNode {
  const known = cache.get(definitionName);
  if (known !== undefined) return known;
  if (definitions[definitionName] === undefined) throw new RangeError(`no definition named ${definitionName}`);
  const node = new DefinitionNode({ $ref: REF_PREFIX + definitionName });
  cache.set(definitionName, node);
  return node;
}

/** The name of the definition a schema refers to, directly or through allOf. */
export function referenceOf(schema: OpenApiSchema): string | undefined {
  return (schema.$ref ?? schema.allOf?.[0]?.$ref)?.slice(REF_PREFIX.length);
}

class DefinitionNode implements SchemaNode {
  readonly type: SchemaNode['type'];
  readonly fieldNames: readonly string[];
  readonly required: readonly string[];
  readonly listType: SchemaNode['listType'];
  readonly mapKeys: readonly string[];
  readonly atomic: boolean;
  readonly patchStrategies: readonly string[];
  readonly patchMergeKey: string | undefined;
  readonly default: Json | undefined;
  readonly pointer: boolean;
  readonly omitsEmpty: boolean;
  readonly absent: Json | undefined;
  readonly #goType: string;
  readonly #schema: OpenApiSchema;
  readonly #reference: string | undefined;
  readonly #place: Place | undefined;
  readonly #fields = new Map<string, SchemaNode>();
  #items: SchemaNode | undefined;

  /** `use` is the place that mentions the structure: markers stand there, members in the definition it refers to. */
  constructor(use: OpenApiSchema, place?: Place) {
    const reference = referenceOf(use);
    const schema = reference === undefined ? use : (definitions[reference] ?? {});
    this.#schema = schema;
    this.#reference = reference;
    this.#place = place;
    this.type = typeOf(schema, reference);
    this.fieldNames = Object.keys(schema.properties ?? {});
    this.required = schema.required ?? [];
    this.listType = listTypeOf(use['x-kubernetes-list-type']);
    this.mapKeys = use['x-kubernetes-list-map-keys'] ?? [];
    this.atomic = (use['x-kubernetes-map-type'] ?? schema['x-kubernetes-map-type']) === 'atomic';
    this.patchStrategies = use['x-kubernetes-patch-strategy']?.split(',') ?? [];
    this.patchMergeKey = use['x-kubernetes-patch-merge-key'];
    this.default = use.default;
    const { type, pointer, omitsEmpty, omitsZero } = goMember(place?.definition ?? '', place?.member ?? '');
    this.#goType = place?.goType ?? type;
    this.pointer = pointer;
    this.omitsEmpty = omitsEmpty ?? place?.required !== true;
    this.absent = pointer ? (this.omitsEmpty ? undefined : null) : absentValue(this, omitsZero);
  }

  get goType(): string {
    if (this.#goType !== '') return this.#goType;
    const element = this.items?.goType ?? this.field('')?.goType ?? '';
    if (this.type === 'list') return `[]${element}`;
    if (this.type === 'map') return goMap(element, this.#place);
    if (this.type === 'object') return this.#reference?.split('.').slice(-2).join('.') ?? 'struct';
    if (this.type === 'integer') return this.#schema.format ?? 'int64';
    return GO_SCALARS[this.type] ?? this.type;
  }

  field(name: string): SchemaNode | undefined {
    const known = this.#fields.get(this.type === 'map' ? '' : name);
    if (known !== undefined) return known;
    const use = this.type === 'map' ? this.#schema.additionalProperties : ownSchema(this.#schema.properties, name);
    if (use === undefined) return undefined;
    const node = new DefinitionNode(use, this.#placeOf(name));
    this.#fields.set(this.type === 'map' ? '' : name, node);
    return node;
  }

  get items(): SchemaNode | undefined {
    if (this.#items === undefined && this.#schema.items !== undefined) this.#items = new DefinitionNode(this.#schema.items, elementOf(this.#goType));
    return this.#items;
  }

  #placeOf(name: string): Place | undefined {
    if (this.type === 'map') return elementOf(this.#goType);
    return this.#reference === undefined ? undefined : { definition: this.#reference, member: name, required: this.required.includes(name) };
  }
}

/** Where a node hangs: a member of a definition, or an element whose Go type follows from that of its list or map. */
interface Place {
  readonly definition: string;
  readonly member: string;
  readonly required: boolean;
  readonly goType?: string;
}

function elementOf(goType: string): Place | undefined {
  const element = goType.replace(/^(\[\]|map\[[\w.]+\])/, '');
  return element === goType ? undefined : { definition: '', member: '', required: true, goType: element };
}

/** What Go prints for an absent member that is no pointer: `omitempty` leaves out neither structures nor times and quantities. */
function absentValue({ type, omitsEmpty, default: whenAbsent }: SchemaNode, omitsZero: boolean): Json | undefined {
  if (omitsZero) return undefined;
  if (type === 'object' && isEmptyObject(whenAbsent)) return {};
  if (type === 'time' || type === 'micro-time') return null;
  if (type === 'quantity') return '0';
  if (type === 'int-or-string') return omitsEmpty ? undefined : 0;
  if (omitsEmpty || type === 'any') return undefined;
  return SCALAR_ZEROES[type] ?? null;
}

const SCALAR_ZEROES: Readonly<Partial<Record<SchemaNode['type'], Json>>> = { string: '', integer: 0, number: 0, boolean: false };

function isEmptyObject(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** Upstream's name of a map's type: ResourceList in core/v1, QualifiedName keys in resource.k8s.io. */
function goMap(element: string, place: Place | undefined): string {
  const { definition = '', member = '' } = place ?? {};
  const [, group, version = ''] = /^io\.k8s\.api\.(\w+)\.(\w+)\./.exec(definition) ?? [];
  if (group === 'core' && element === 'resource.Quantity') return 'v1.ResourceList';
  return group === 'resource' && QUALIFIED_MAPS.has(member) ? `map[${version}.QualifiedName]${element}` : `map[string]${element}`;
}

function ownSchema(properties: OpenApiSchema['properties'], name: string): OpenApiSchema | undefined {
  return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}

function listTypeOf(marker: string | undefined): SchemaNode['listType'] {
  return marker === 'map' || marker === 'set' ? marker : 'atomic';
}

function typeOf(schema: OpenApiSchema, reference: string | undefined): SchemaNode['type'] {
  const scalar = SCALARS.get(reference);
  if (scalar !== undefined) return scalar;
  if (schema.properties !== undefined || MEMBERLESS.has(reference)) return 'object';
  if (schema.additionalProperties !== undefined) return 'map';
  if (schema.items !== undefined) return 'list';
  if (schema.type === 'string' && schema.format === 'byte') return 'bytes';
  if (schema.type === 'string' || schema.type === 'integer' || schema.type === 'number' || schema.type === 'boolean') return schema.type;
  return 'any';
}
