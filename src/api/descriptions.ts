/** What kinds and fields mean, in dray's own words: data that are loaded when somebody asks for OpenAPI, as `kubectl explain` does. */
import type { OpenApiSchema } from './schema.ts';

/** Texts by structure and field; the structure itself under "". */
type Texts = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Adds the descriptions to a definition of this name; one that nobody has described yet stays as it is but for what all kinds have. */
export type Describe = (definition: string, schema: OpenApiSchema) => OpenApiSchema;

/** Whose definitions the texts of a file are about. Versions of a group share them. */
const FILES = [
  {
    prefix: /^io\.k8s\.api\.resource\.\w+\./,
    read: async (): Promise<Texts> => (await import('./descriptions/resource.json', { with: { type: 'json' } })).default,
  },
  { prefix: /^io\.k8s\.api\.core\.v1\./, read: async (): Promise<Texts> => (await import('./descriptions/core.json', { with: { type: 'json' } })).default },
  {
    prefix: /^io\.k8s\.apimachinery\.pkg\.apis\.meta\.v1\./,
    read: async (): Promise<Texts> => (await import('./descriptions/meta.json', { with: { type: 'json' } })).default,
  },
];

/** Reads the texts. */
export async function describeDefinitions(): Promise<Describe> {
  const files = await Promise.all(FILES.map(async ({ prefix, read }) => ({ prefix, texts: await read() })));
  const { default: common } = await import('./descriptions/common.json', { with: { type: 'json' } });
  return (definition, schema) => {
    const file = files.find(({ prefix }) => prefix.test(definition));
    const own = file?.texts[definition.replace(file.prefix, '')] ?? {};
    const ofAll: Readonly<Record<string, string>> = 'x-kubernetes-group-version-kind' in schema ? common : {};
    return described(schema, { ...ofAll, ...own });
  };
}

function described(schema: OpenApiSchema, texts: Readonly<Record<string, string>>): OpenApiSchema {
  const { properties } = schema;
  const fields = Object.entries(properties ?? {}).map(([name, field]) => [name, withText(field, texts[name])] as const);
  return { ...withText(schema, texts['']), ...(properties !== undefined && { properties: Object.fromEntries(fields) }) };
}

/** Nothing may stand beside a reference (OpenAPI 3.0), so that it moves into an allOf of its own. */
function withText(schema: OpenApiSchema, description: string | undefined): OpenApiSchema {
  if (description === undefined) return schema;
  const { $ref, ...rest } = schema;
  return { ...rest, ...($ref !== undefined && { allOf: [{ $ref }] }), description };
}
