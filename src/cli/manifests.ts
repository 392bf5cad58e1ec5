/** Reads manifests: YAML or JSON, several documents, lists flattened. */
import { parseAllDocuments } from 'yaml';
import type { ApiObject } from '#machinery';

/** An object as a manifest gives it: names its version and kind. */
export interface Manifest extends ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The objects of `text`, in order; throws one sentence that names `source` and the place. Empty documents are skipped. */
export function parseManifests(text: string, source: string): readonly Manifest[] {
  const objects: Manifest[] = [];
  for (const document of parseAllDocuments(text, { version: '1.2', intAsBigInt: false })) {
    const problem = document.errors[0];
    if (problem !== undefined) throw new Error(`${source}: ${problem.message.split('\n')[0] ?? ''}`);
    const value: unknown = document.toJS();
    if (value !== null && value !== undefined) flatten(value, source, objects);
  }
  return objects;
}

function flatten(value: unknown, source: string, into: Manifest[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${source}: a document is not an object`);
  if ('kind' in value && value.kind === 'List' && 'items' in value && Array.isArray(value.items)) {
    for (const item of value.items) flatten(item, source, into);
    return;
  }
  if (!isManifest(value)) throw new Error(`${source}: a document lacks apiVersion, kind or metadata.name`);
  into.push(value);
}

function isManifest(value: object): value is Manifest {
  if (!('apiVersion' in value) || !('kind' in value) || !('metadata' in value)) return false;
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof metadata !== 'object' || metadata === null) return false;
  return 'name' in metadata || 'generateName' in metadata;
}
