/** The OpenAPI v2 document in the encoding that kubectl asks for. It alone needs the protobuf library, so it is loaded when somebody asks. */
import { type Json, type JsonObject, stringifyJson } from '#machinery';
import { create, encode, type MessageInitShape, openApiV2 } from '#wire';
import { mapValues, members } from './openapi-v2.ts';

type Init<T extends Parameters<typeof create>[0]> = MessageInitShape<T>;

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
    description: text(schema['description']),
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

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: Json | undefined): string[] {
  return list(value).map(text);
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
