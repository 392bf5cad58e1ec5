/** metadata.managedFields as a table of managers: reading, writing, sorting and capping it (apimachinery managedfields). */
import { type FieldPath, FieldSet } from './field-set.ts';
import { isJsonObject, type JsonObject } from './merge-patch.ts';
import type { Json, ManagedFieldsEntry } from './meta.ts';

/** What one manager owns. */
export interface ManagerEntry {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** Entries by the manager's identity (see managerKey). */
export type Managers = Map<string, ManagerEntry>;

/** Most entries of updates; older ones are merged (defaultMaxUpdateManagers). */
export const MAX_UPDATE_MANAGERS = 10;
/** Who owns what has been merged. */
const OLD_UPDATES_MANAGER = 'ancient-changes';
/** Longest manager name taken from a user agent, in bytes (ManagedFields' validation.FieldManagerMaxLength). */
export const FIELD_MANAGER_MAX_LENGTH = 128;

/** Fields that nobody owns because every object has them (stripMetaManager). */
const STRIPPED = FieldSet.of([
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map((name): FieldPath => [
    'f:metadata',
    `f:${name}`,
  ]),
]);

/** Identity of a manager: name, operation, version (of updates only) and subresource. */
export function managerKey(entry: Pick<ManagerEntry, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  const parts = [`"operation":"${entry.operation}"`];
  if (entry.manager !== '') parts.unshift(`"manager":${JSON.stringify(entry.manager)}`);
  if (entry.operation !== 'Apply') parts.push(`"apiVersion":${JSON.stringify(entry.apiVersion)}`);
  if (entry.subresource !== '') parts.push(`"subresource":${JSON.stringify(entry.subresource)}`);
  return `{${parts.join(',')}}`;
}

/** The managers of an object's managedFields; undefined when an entry is malformed. */
export function decodeManagers(managedFields: Json | undefined): Managers | undefined {
  const managers: Managers = new Map();
  if (managedFields === undefined || managedFields === null) return managers;
  if (!Array.isArray(managedFields)) return undefined;
  for (const item of managedFields) {
    const entry = decodeEntry(item);
    if (entry === undefined) return undefined;
    managers.set(managerKey(entry), entry);
  }
  return managers;
}

function decodeEntry(item: Json): ManagerEntry | undefined {
  if (!isJsonObject(item)) return undefined;
  const { operation, fieldsType } = item;
  const fields = item['fieldsV1'] === undefined ? FieldSet.empty : FieldSet.fromJson(item['fieldsV1']);
  if ((operation !== 'Apply' && operation !== 'Update') || fieldsType !== 'FieldsV1' || fields === undefined) return undefined;
  const text = (name: string): string => {
    const value = item[name];
    return typeof value === 'string' ? value : '';
  };
  const time = text('time');
  return {
    manager: text('manager'),
    operation,
    apiVersion: text('apiVersion'),
    subresource: text('subresource'),
    time: time === '' ? undefined : time,
    fields,
  };
}

/** Whether managedFields is `[]` or `[{}]`, by which a client lets go of all ownership. */
export function isReset(managedFields: Json | undefined): boolean {
  if (!Array.isArray(managedFields) || managedFields.length > 1) return false;
  const only: Json | undefined = managedFields[0];
  return only === undefined || (isJsonObject(only) && Object.keys(only).length === 0);
}

/** managedFields of the managers: by operation, time and name. */
export function encodeManagers(managers: Managers): (ManagedFieldsEntry & JsonObject)[] {
  return [...managers.values()].sort(compareEntries).map((entry) => ({
    manager: entry.manager,
    operation: entry.operation,
    apiVersion: entry.apiVersion,
    ...(entry.time === undefined ? {} : { time: entry.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: entry.fields.toJson(),
    ...(entry.subresource === '' ? {} : { subresource: entry.subresource }),
  }));
}

function compareEntries(a: ManagerEntry, b: ManagerEntry): number {
  return (
    compareTexts(a.operation, b.operation) ||
    secondsOf(a) - secondsOf(b) ||
    compareTexts(a.manager, b.manager) ||
    compareTexts(a.apiVersion, b.apiVersion) ||
    compareTexts(a.subresource, b.subresource)
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function secondsOf(entry: ManagerEntry): number {
  const ms = entry.time === undefined ? 0 : Date.parse(entry.time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

/** Takes away what nobody owns, and managers that own nothing. */
export function stripManagers(managers: Managers): void {
  for (const [key, entry] of managers) {
    const fields = entry.fields.difference(STRIPPED);
    if (fields.isEmpty) managers.delete(key);
    else if (fields !== entry.fields) managers.set(key, { ...entry, fields });
  }
}

/** Merges the oldest updates of each version until at most MAX_UPDATE_MANAGERS are left (capManagersManager). */
export function capManagers(managers: Managers): void {
  if (managers.size <= MAX_UPDATE_MANAGERS) return;
  const updaters = [...managers].filter(([, entry]) => entry.operation === 'Update');
  updaters.sort(([keyA, a], [keyB, b]) => secondsOf(a) - secondsOf(b) || compareTexts(keyA, keyB));
  let count = updaters.length;
  const firstOfVersion = new Map<string, string>();
  for (const [key, entry] of updaters) {
    if (count <= MAX_UPDATE_MANAGERS) return;
    const first = firstOfVersion.get(entry.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(entry.apiVersion, key);
      continue;
    }
    const bucket: ManagerEntry = { ...entry, manager: OLD_UPDATES_MANAGER, operation: 'Update', subresource: '' };
    const bucketKey = managerKey(bucket);
    const older = managers.get(bucketKey) ?? managers.get(first);
    if (!managers.has(bucketKey)) managers.delete(first);
    managers.delete(key);
    managers.set(bucketKey, { ...bucket, fields: entry.fields.union(older?.fields ?? FieldSet.empty) });
    count--;
  }
}
