/** Objects as YAML or JSON, without the bookkeeping of field managers, as kubectl prints them. */
import { stringify } from 'yaml';
import type { ResourceName } from '#client';
import { type ApiObject, apiVersionOf, nameOf, stringifyJson } from '#machinery';
import { objectText } from './discovery.ts';

/** How objects are written. */
export type ObjectFormat = 'yaml' | 'json';

const JSON_INDENT = 4;

/** The object with its apiVersion and kind, which items of lists come without. */
export function typed(resource: ResourceName, object: ApiObject): ApiObject {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
}

/** One object. */
export function documentText(object: ApiObject, format: ObjectFormat): string {
  return textOf(shown(object), format);
}

/** Several objects, as the v1 List that `apply -f -` takes. */
export function listText(objects: readonly ApiObject[], format: ObjectFormat): string {
  return textOf({ apiVersion: 'v1', items: objects.map(shown), kind: 'List', metadata: { resourceVersion: '' } }, format);
}

/** `pod/web`, one a line. */
export function namesText(resource: ResourceName, objects: readonly ApiObject[]): string {
  return objects.map((object) => `${objectText(resource, nameOf(object))}\n`).join('');
}

function shown(object: ApiObject): ApiObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** YAML that readers of 1.1 understand, too (they take a bare yes or 0123 for no string); lines are not folded. */
function textOf(value: unknown, format: ObjectFormat): string {
  return format === 'json' ? `${stringifyJson(value, JSON_INDENT)}\n` : stringify(value, { lineWidth: 0, version: '1.1', aliasDuplicateObjects: false });
}
