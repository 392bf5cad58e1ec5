/** Reads the text of a CDI file: YAML or JSON, strictly: unknown fields and wrong types are errors. */
import { parseAllDocuments } from 'yaml';
import { asError } from '#base';
import { CdiError, type CdiSpec } from './spec.ts';

type Shape =
  | { readonly kind: 'string' | 'boolean' | 'strings' | 'stringMap' | 'uint32s' }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number }
  | { readonly kind: 'object' | 'objects'; readonly fields: Readonly<Record<string, Shape>> };

const STRING: Shape = { kind: 'string' };
const STRINGS: Shape = { kind: 'strings' };
const INT: Shape = { kind: 'integer', min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
const UINT32: Shape = { kind: 'integer', min: 0, max: 0xffff_ffff };

const EDITS: Shape = {
  kind: 'object',
  fields: {
    env: STRINGS,
    deviceNodes: {
      kind: 'objects',
      fields: { path: STRING, hostPath: STRING, type: STRING, major: INT, minor: INT, fileMode: UINT32, permissions: STRING, uid: UINT32, gid: UINT32 },
    },
    netDevices: { kind: 'objects', fields: { hostInterfaceName: STRING, name: STRING } },
    mounts: { kind: 'objects', fields: { hostPath: STRING, containerPath: STRING, type: STRING, options: STRINGS } },
    hooks: { kind: 'objects', fields: { hookName: STRING, path: STRING, args: STRINGS, env: STRINGS, timeout: INT } },
    intelRdt: {
      kind: 'object',
      fields: { closID: STRING, l3CacheSchema: STRING, memBwSchema: STRING, schemata: STRINGS, enableMonitoring: { kind: 'boolean' } },
    },
    additionalGids: { kind: 'uint32s' },
  },
};

const SPEC: Shape = {
  kind: 'object',
  fields: {
    cdiVersion: STRING,
    kind: STRING,
    annotations: { kind: 'stringMap' },
    devices: { kind: 'objects', fields: { name: STRING, annotations: { kind: 'stringMap' }, containerEdits: EDITS } },
    containerEdits: EDITS,
  },
};

/**
 * The spec in `text`, not yet validated: absent required fields are empty. Text after the first document is ignored.
 * Throws CdiError naming `path`.
 */
export function parseSpec(text: string, path: string): CdiSpec {
  try {
    const value = firstDocument(text);
    if (value === null || value === undefined) throw new CdiError('no Spec data');
    const read = readValue(value, SPEC, 'spec');
    return { cdiVersion: '', kind: '', devices: [], ...fieldsOf(read) };
  } catch (error) {
    throw new CdiError(`failed to parse CDI Spec ${JSON.stringify(path)}: ${asError(error).message}`);
  }
}

/** YAML 1.1 as Go's parser reads it: 0660 is octal. */
function firstDocument(text: string): unknown {
  const first = parseAllDocuments(text, { version: '1.1', merge: true })[0];
  if (first === undefined || !('contents' in first)) return undefined;
  const error = first.errors[0];
  if (error === undefined) return first.toJS({ maxAliasCount: 100 });
  // What stands before the error may be a whole document with something else behind it.
  const head = text.slice(0, error.pos[0]);
  if (error.code !== 'UNEXPECTED_TOKEN' || !head.trimEnd().endsWith('}')) throw new CdiError(error.message);
  return firstDocument(head);
}

function fieldsOf(value: unknown): Partial<CdiSpec> {
  // readValue with SPEC returns an object whose members have the types that SPEC lists, which are CdiSpec's.
  return value as Partial<CdiSpec>;
}

function readValue(value: unknown, shape: Shape, at: string): unknown {
  switch (shape.kind) {
    case 'string':
      return readString(value, at);
    case 'boolean':
      if (typeof value !== 'boolean') throw mismatch(at, 'a boolean');
      return value;
    case 'integer':
      return readInteger(value, shape, at);
    case 'strings':
      return readList(value, at).map((item, i) => (item === null ? '' : readString(item, `${at}[${i}]`)));
    case 'uint32s':
      return readList(value, at).map((item, i) => readInteger(item, { min: 0, max: 0xffff_ffff }, `${at}[${i}]`));
    case 'stringMap':
      return Object.fromEntries(Object.entries(readObject(value, at)).map(([key, item]) => [key, item === null ? '' : readString(item, `${at}.${key}`)]));
    case 'object':
      return readFields(value, shape.fields, at);
    case 'objects':
      return readList(value, at).map((item, i) => readMember(item, shape.fields, `${at}[${i}]`));
  }
}

/** The reference library crashes on a null among objects; here it is an error like any other. */
function readMember(value: unknown, fields: Readonly<Record<string, Shape>>, at: string): unknown {
  if (value === null) throw new CdiError(`${at}: null instead of an object`);
  return { ...requiredOf(fields), ...readFields(value, fields, at) };
}

/** Fields that the types require are empty when absent, so that validation can name them. */
function requiredOf(fields: Readonly<Record<string, Shape>>): Record<string, unknown> {
  const empty: Record<string, unknown> = {};
  for (const name of ['name', 'path', 'hostPath', 'containerPath', 'hookName', 'hostInterfaceName']) {
    if (name in fields && !(name === 'hostPath' && 'permissions' in fields)) empty[name] = '';
  }
  if ('containerEdits' in fields) empty['containerEdits'] = {};
  return empty;
}

function readFields(value: unknown, fields: Readonly<Record<string, Shape>>, at: string): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(readObject(value, at))) {
    const shape = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (shape === undefined) throw new CdiError(`${at}: unknown field ${JSON.stringify(name)}`);
    if (member !== null) read[name] = readValue(member, shape, `${at}.${name}`);
  }
  return read;
}

/** A plain scalar of another type is taken by its text, as Go's YAML reader does for string fields. */
function readString(value: unknown, at: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw mismatch(at, 'a string');
}

function readInteger(value: unknown, limits: { readonly min: number; readonly max: number }, at: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < limits.min || value > limits.max) throw mismatch(at, 'an integer in range');
  return value;
}

function readList(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw mismatch(at, 'a list');
  return value;
}

function readObject(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw mismatch(at, 'an object');
  return Object.fromEntries(Object.entries(value));
}

function mismatch(at: string, wanted: string): CdiError {
  return new CdiError(`cannot unmarshal ${at}: not ${wanted}`);
}
