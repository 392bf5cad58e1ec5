/** The OpenAPI v2 document, derived from the parts of the v3 documents, as JSON and in the encoding that kubectl asks for. */
import type { OpenApiSchema } from '#api';
import { isJsonObject, type Json, type JsonObject, stringifyJson } from '#machinery';
import { create, encode, type MessageInitShape, openApiV2 } from '#wire';

/** The binary encoding as clients ask for it, and as answers name it: a media type has no room for the sign @ (kube-openapi, handler.go). */
export const OPENAPI_V2_PROTOBUF = {
  asked: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  answered: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
} as const;

type Init<T extends Parameters<typeof create>[0]> = MessageInitShape<T>;

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

/** The document in the binary encoding. */
export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  const { DocumentSchema } = openApiV2;
  const message = create(DocumentSchema, {
    swagger: text(document['swagger']),
    info: { title: text(members(document['info'])['title']), version: text(members(document['info'])['version']) },
    paths: { path: named(document['paths'], (item) => mapValues(members(item), operationMessage)) },
    definitions: { additionalProperties: named(document['definitions'], schemaMessage) },
  });
  return encode(DocumentSchema, message);
}

function operationMessage(value: Json): Init<typeof openApiV2.OperationSchema> {
  const { tags, consumes, produces, parameters, responses } = members(value);
  return {
    tags: texts(tags),
    consumes: texts(consumes),
    produces: texts(produces),
    parameters: list(parameters).map((parameter) => ({ parameter: { kind: parameterMessage(members(parameter)) } })),
    responses: {
      responseCode: named(responses, (response) => {
        const { description, schema } = members(response);
        return { response: { description: text(description), schema: { schema: schemaMessage(schema ?? {}) } } };
      }),
    },
    vendorExtension: extensions(value),
  };
}

function parameterMessage(parameter: JsonObject): NonNullable<Init<typeof openApiV2.ParameterSchema>['kind']> {
  const [name, place] = [text(parameter['name']), text(parameter['in'])];
  if (place === 'body') return { case: 'bodyParameter', value: { name, in: place, required: true, schema: schemaMessage(parameter['schema'] ?? {}) } };
  const type = text(parameter['type']);
  return { case: 'nonBodyParameter', value: { queryParameterSubSchema: { name, in: place, type, uniqueItems: true } } };
}

function schemaMessage(value: Json): Init<typeof openApiV2.SchemaSchema> {
  const schema = members(value);
  const { type, items, properties, additionalProperties } = schema;
  return {
    Ref: text(schema['$ref']),
    format: text(schema['format']),
    required: texts(schema['required']),
    enum: list(schema['enum']).map(anyOf),
    vendorExtension: extensions(value),
    ...(schema['default'] === undefined ? {} : { default: anyOf(schema['default']) }),
    ...(type === undefined ? {} : { type: { value: [text(type)] } }),
    ...(items === undefined ? {} : { items: { schema: [schemaMessage(items)] } }),
    ...(properties === undefined ? {} : { properties: { additionalProperties: named(properties, schemaMessage) } }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: { schema: schemaMessage(additionalProperties) } }),
  };
}

function extensions(value: Json): { readonly name: string; readonly value: { readonly yaml: string } }[] {
  return Object.entries(members(value)).flatMap(([name, extension]) => (name.startsWith('x-') ? [{ name, value: anyOf(extension) }] : []));
}

/** JSON is YAML. */
function anyOf(value: Json | undefined): { readonly yaml: string } {
  return { yaml: `${stringifyJson(value ?? null)}\n` };
}

function named<T>(value: Json | undefined, map: (value: Json) => T): { readonly name: string; readonly value: T }[] {
  return Object.entries(members(value)).map(([name, member]) => ({ name, value: map(member ?? null) }));
}

function mapValues<T, U>(record: Readonly<Record<string, T | undefined>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).flatMap(([name, value]) => (value === undefined ? [] : [[name, map(value)]])));
}

function members(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: Json | undefined): string[] {
  return list(value).map(text);
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
