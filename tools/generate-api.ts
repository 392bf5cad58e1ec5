/** Generates src/api/schema/definitions.json and src/api/types/*.ts from the recorded OpenAPI structure in test/vectors/openapi. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const ROOT = join(import.meta.dirname, '..');
const VECTORS = join(ROOT, 'test/vectors/openapi');
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
/** Types of meta/v1 that machinery writes by hand; everything else of meta/v1 stays out of the generated files. */
const META_TYPES = new Set([
  'ObjectMeta',
  'ListMeta',
  'OwnerReference',
  'ManagedFieldsEntry',
  'Condition',
  'LabelSelector',
  'LabelSelectorRequirement',
  'Status',
  'DeleteOptions',
]);

/** Where types come from if not from the recorded release alone. */
const ORIGINS: Readonly<Record<string, string>> = {
  'resource-v1': "Kubernetes 1.36 has them, with 1.37's DeviceTaintRule derived from v1beta2",
  'resource-v1alpha3': 'Kubernetes 1.36 has them, with the kinds of 1.31 to 1.33 derived from v1beta1',
};

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Record<string, Schema>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly description?: string;
}

const definitions = new Map<string, Schema>();
for (const file of readdirSync(VECTORS)
  .filter((name) => name.endsWith('.json.gz') && name !== 'index.json.gz')
  .sort()) {
  const recorded = JSON.parse(gunzipSync(readFileSync(join(VECTORS, file))).toString()) as { schemas: Record<string, Schema> };
  for (const [name, schema] of Object.entries(recorded.schemas)) definitions.set(name, schema);
}
deriveAlpha3();
deriveTaintRules();
addLeaseCandidates();
const names = [...definitions.keys()].sort();
const lines = names.map((name) => `${JSON.stringify(name)}: ${JSON.stringify(definitions.get(name))}`);
writeFileSync(join(ROOT, 'src/api/schema/definitions.json'), `{\n${lines.join(',\n')}\n}\n`);

/** What is served as a kind of its own always carries metadata. */
const kinds = new Set<Schema>([...definitions.values()].filter((schema) => 'x-kubernetes-group-version-kind' in schema));

const groups = new Map<string, string[]>();
for (const name of names) {
  const match = /^io\.k8s\.api\.([a-z]+)\.(v[a-z0-9]+)\.(\w+)$/.exec(name);
  if (match === null) continue;
  const key = `${match[1]}-${match[2]}`;
  groups.set(key, [...(groups.get(key) ?? []), name]);
}
for (const [key, members] of groups) writeFileSync(join(ROOT, `src/api/types/${key}.ts`), fileOf(key, members));

/**
 * resource.k8s.io/v1alpha3 as 1.31 to 1.33 served it beside v1beta1: the same structures, but a device's capacity is a
 * plain map of quantities. Definitions that the recorded release still has (DeviceTaintRule) stay as recorded.
 */
function deriveAlpha3(): void {
  const [beta, alpha] = ['io.k8s.api.resource.v1beta1.', 'io.k8s.api.resource.v1alpha3.'];
  const onlyBeta = new Set(['DeviceCapacity', 'CapacityRequestPolicy', 'CapacityRequestPolicyRange']);
  const quantities = definitions.get(`${beta}CapacityRequirements`)?.properties?.['requests'];
  if (quantities === undefined) throw new Error('the recorded v1beta1 has no map of quantities');
  for (const [name, schema] of definitions) {
    const short = name.startsWith(beta) ? name.slice(beta.length) : undefined;
    if (short === undefined || onlyBeta.has(short) || definitions.has(alpha + short)) continue;
    const own: Schema = short === 'BasicDevice' ? { ...schema, properties: { ...schema.properties, capacity: quantities } } : schema;
    definitions.set(alpha + short, inVersion(own, 'v1beta1', 'v1alpha3'));
  }
}

/** resource.k8s.io/v1 DeviceTaintRules, which 1.37 serves in the shape of v1beta2 (k8s.io/api/resource/v1, types.go). */
function deriveTaintRules(): void {
  const beta = 'io.k8s.api.resource.v1beta2.DeviceTaint';
  for (const [name, schema] of definitions) {
    const stable = name.replace('.v1beta2.', '.v1.');
    if (name.startsWith(beta) && !definitions.has(stable)) definitions.set(stable, inVersion(schema, 'v1beta2', 'v1'));
  }
}

/** A definition of resource.k8s.io in the words of another version. */
function inVersion(schema: Schema, from: string, to: string): Schema {
  const text = JSON.stringify(schema)
    .replaceAll(`io.k8s.api.resource.${from}.`, `io.k8s.api.resource.${to}.`)
    .replaceAll(`"version":"${from}"`, `"version":"${to}"`);
  return JSON.parse(text) as Schema;
}

/**
 * coordination.k8s.io LeaseCandidate, which is in no recorded document: like Lease, with a spec of its own (k8s.io/api/coordination, types.go).
 */
function addLeaseCandidates(): void {
  const recorded = 'io.k8s.api.coordination.v1.';
  const time = definitions.get(`${recorded}LeaseSpec`)?.properties?.['renewTime'];
  if (time === undefined) throw new Error('the recorded LeaseSpec has no time');
  for (const version of ['v1beta1', 'v1alpha2']) {
    const own = `io.k8s.api.coordination.${version}.`;
    for (const name of ['Lease', 'LeaseList']) {
      const text = JSON.stringify(definitions.get(recorded + name))
        .replaceAll(`${recorded}Lease`, `${own}LeaseCandidate`)
        .replaceAll('"kind":"Lease', '"kind":"LeaseCandidate')
        .replaceAll('"version":"v1"', `"version":"${version}"`);
      definitions.set(own + name.replace('Lease', 'LeaseCandidate'), JSON.parse(text) as Schema);
    }
    const required = { type: 'string', default: '' };
    const optional = { type: 'string' };
    definitions.set(`${own}LeaseCandidateSpec`, {
      type: 'object',
      properties: {
        binaryVersion: required,
        emulationVersion: optional,
        leaseName: required,
        pingTime: time,
        renewTime: time,
        strategy: optional,
      },
      required: ['leaseName', 'binaryVersion'],
    });
  }
}

function fileOf(key: string, members: readonly string[]): string {
  const imports = new Map<string, Set<string>>();
  const own = `io.k8s.api.${key.replace('-', '.')}.`;
  const int64 = key.startsWith('resource-') ? 'Int64' : 'number';
  const typeOf = (schema: Schema): string => {
    const ref = schema.$ref ?? schema.allOf?.[0]?.$ref;
    if (ref !== undefined) return refType(ref.slice('#/components/schemas/'.length));
    if (schema.items !== undefined) return `readonly ${parenthesise(typeOf(schema.items))}[]`;
    if (schema.additionalProperties !== undefined) return `Readonly<Record<string, ${typeOf(schema.additionalProperties)}>>`;
    if (schema.enum !== undefined) return schema.enum.map((value) => `'${value}'`).join(' | ');
    if (schema.type === 'integer') return schema.format === 'int64' ? need('#machinery', int64) : 'number';
    if (schema.type === 'number') return 'number';
    if (schema.type === 'boolean') return 'boolean';
    if (schema.type === 'string') return 'string';
    return need('#machinery', 'Json');
  };
  const need = (from: string, name: string): string => {
    if (name === 'number') return name;
    imports.set(from, (imports.get(from) ?? new Set()).add(name));
    return name;
  };
  const refType = (name: string): string => {
    if (name.startsWith(own)) return name.slice(own.length);
    const other = /^io\.k8s\.api\.([a-z]+)\.(v[a-z0-9]+)\.(\w+)$/.exec(name);
    if (other !== null) return need(`./${other[1]}-${other[2]}.ts`, other[3] ?? '');
    const short = name.slice(name.lastIndexOf('.') + 1);
    if (name.startsWith(META) && META_TYPES.has(short)) return need('#machinery', short);
    if (['Quantity', 'Time', 'MicroTime'].includes(short)) return 'string';
    if (short === 'IntOrString') return '(number | string)';
    return need('#machinery', 'Json');
  };
  const bodies = members.map((name) => interfaceOf(name.slice(own.length), definitions.get(name) ?? {}, typeOf));
  const head = [...imports].sort(([a], [b]) => (a < b ? -1 : 1)).map(([from, set]) => `import type { ${[...set].sort().join(', ')} } from '${from}';`);
  const title = `/** The types of ${key.replace('-', '/')} as ${ORIGINS[key] ?? 'Kubernetes 1.36 has them'}. Generated by tools/generate-api.ts from the recorded OpenAPI structure; do not edit. */`;
  return `${[title, ...head].join('\n')}\n\n${bodies.join('\n\n')}\n`;
}

function interfaceOf(name: string, schema: Schema, typeOf: (schema: Schema) => string): string {
  if (schema.properties === undefined) return `/** ${name} of the Kubernetes API. */\nexport type ${name} = ${typeOf(schema)};`;
  const required = new Set(schema.required);
  const members = Object.entries(schema.properties).map(([key, property]) => {
    const quoted = /^[a-zA-Z_$][\w$]*$/.test(key) ? key : `'${key}'`;
    const optional = required.has(key) || (kinds.has(schema) && key === 'metadata') ? ['', ''] : ['?', ' | undefined'];
    return `  readonly ${quoted}${optional[0]}: ${typeOf(property)}${optional[1]};`;
  });
  return `/** ${name} of the Kubernetes API. */\nexport interface ${name} {\n${members.join('\n')}\n}`;
}

function parenthesise(type: string): string {
  return type.includes('|') && !type.startsWith('(') ? `(${type})` : type;
}
