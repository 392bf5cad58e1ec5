/** What is said about kinds and fields. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDefinitions } from './descriptions.ts';
import { definitions, type OpenApiSchema } from './schema.ts';

const describe = await describeDefinitions();
/** Longer ones belong into a guide. */
const LENGTH_MAX = 320;

function textsOf(name: string): readonly (readonly [string, string | undefined])[] {
  const schema = describe(name, definitions[name] ?? {});
  const fields = Object.entries(schema.properties ?? {}).map(([field, { description }]) => [`${name}.${field}`, description] as const);
  return [[name, schema.description], ...fields];
}

test('every structure and every field of resource.k8s.io is described, in every version', () => {
  const names = Object.keys(definitions).filter((name) => name.startsWith('io.k8s.api.resource.'));
  assert.ok(names.length > 150);
  assert.deepEqual(
    names.flatMap((name) => textsOf(name).filter(([, text]) => text === undefined)).map(([place]) => place),
    [],
  );
});

test('so is what pods say of claims, and the metadata of all objects', () => {
  const names = ['Pod', 'PodResourceClaim', 'PodResourceClaimStatus', 'ResourceClaim', 'ResourceRequirements', 'NodeSelector'].map(
    (name) => `io.k8s.api.core.v1.${name}`,
  );
  const meta = ['ObjectMeta', 'OwnerReference', 'Condition', 'LabelSelector'].map((name) => `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`);
  assert.deepEqual(
    [...names, ...meta].flatMap((name) => textsOf(name).filter(([, text]) => text === undefined)),
    [],
  );
});

test('descriptions are whole sentences, short ones', () => {
  const all = Object.keys(definitions).flatMap(textsOf);
  const wrong = all.filter(([, text]) => text !== undefined && (!/^[A-Z`].*[.]$/s.test(text) || text.length > LENGTH_MAX));
  assert.deepEqual(wrong, []);
});

test('what is described exists', async () => {
  for (const [file, prefix] of [
    ['resource', 'io.k8s.api.resource.'],
    ['core', 'io.k8s.api.core.v1.'],
    ['meta', 'io.k8s.apimachinery.pkg.apis.meta.v1.'],
  ] as const) {
    const texts = ((await import(`./descriptions/${file}.json`, { with: { type: 'json' } })) as { default: Record<string, Record<string, string>> }).default;
    for (const [structure, fields] of Object.entries(texts)) {
      const schemas = Object.entries(definitions).filter(([name]) => name.startsWith(prefix) && name.endsWith(`.${structure}`));
      const known = new Set(schemas.flatMap(([, schema]: [string, OpenApiSchema]) => Object.keys(schema.properties ?? {})));
      assert.ok(schemas.length > 0, structure);
      for (const field of Object.keys(fields)) assert.ok(field === '' || known.has(field), `${structure}.${field}`);
    }
  }
});
