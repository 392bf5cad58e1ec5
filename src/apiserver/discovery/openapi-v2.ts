/** The OpenAPI v2 document, derived from the parts of the v3 documents, as JSON. */
import type { OpenApiSchema } from '#api';
import { isJsonObject, type Json, type JsonObject } from '#machinery';

/** The binary encoding as clients ask for it, and as answers name it: a media type has no room for the sign @ (kube-openapi, handler.go). */
export const OPENAPI_V2_PROTOBUF = {
  asked: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  answered: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
} as const;

/** What the v3 documents hold together: path items and schemas by name. */
export interface OpenApiParts {
  readonly title: string;
  readonly version: string;
  readonly paths: Readonly<Record<string, Json>>;
  readonly schemas: Readonly<Record<string, OpenApiSchema>>;
}

/** The document as JSON. */
export function openApiV2Document({ title, version, paths, schemas }: OpenApiParts): JsonObject {
  return {
    swagger: '2.0',
    info: { title, version },
    paths: mapValues(paths, (item) => mapValues(members(item), operation)),
    definitions: mapValues(schemas, schemaOf),
  };
}

const REFERENCE = '#/components/schemas/';

/** A schema of v2: it knows no allOf beside a reference and no oneOf. */
function schemaOf(schema: OpenApiSchema): JsonObject {
  const { $ref, allOf, oneOf, items, properties, additionalProperties, ...rest } = schema;
  const reference = $ref ?? allOf?.[0]?.$ref;
  return {
    // JSON by construction: the schema data were read from it.
    ...(rest as JsonObject),
    ...(oneOf === undefined ? {} : { type: 'string' }),
    ...(reference === undefined ? {} : { $ref: `#/definitions/${reference.slice(REFERENCE.length)}` }),
    ...(items === undefined ? {} : { items: schemaOf(items) }),
    ...(properties === undefined ? {} : { properties: mapValues(properties, schemaOf) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: schemaOf(additionalProperties) }),
  };
}

/** An operation: parameters name their type themselves, the body is one of them. */
function operation(v3: Json): JsonObject {
  const { parameters, requestBody, responses, ...rest } = members(v3);
  const query = (Array.isArray(parameters) ? parameters : []).map((parameter) => {
    const { schema, ...place } = members(parameter);
    return { ...place, ...members(schema) };
  });
  const content = members(members(requestBody)['content']);
  const types = Object.keys(content);
  const body = types.length === 0 ? [] : [{ name: 'body', in: 'body', required: true, schema: mediaSchema(content) }];
  return {
    ...rest,
    ...(types.length === 0 ? {} : { consumes: types }),
    produces: ['application/json', 'application/yaml'],
    parameters: [...body, ...query],
    responses: mapValues(members(responses), (response) => ({
      description: members(response)['description'],
      schema: mediaSchema(members(members(response)['content'])),
    })),
  };
}

function mediaSchema(content: JsonObject): JsonObject {
  const [media] = Object.values(content);
  // The operations of the v3 documents hold schemas of theirs.
  return schemaOf(members(members(media)['schema']) as OpenApiSchema);
}

/** The record with its defined values mapped. */
export function mapValues<T, U>(record: Readonly<Record<string, T | undefined>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).flatMap(([name, value]) => (value === undefined ? [] : [[name, map(value)]])));
}

/** The members of an object; none of what is no object. */
export function members(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
