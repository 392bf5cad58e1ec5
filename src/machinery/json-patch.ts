/** JSON patch (RFC 6902) as upstream's library understands it (evanphx/json-patch v4 behind handlers.jsonPatcher). */
import { applyPatch, Pointer, type Operation } from 'rfc6902';
import { stringifyJson } from './json.ts';
import type { Json } from './meta.ts';
import { badRequest, requestEntityTooLarge, unprocessable } from './status.ts';

/** Most operations in one patch (handlers.maxJSONPatchOperations). */
export const MAX_JSON_PATCH_OPERATIONS = 10_000;

/** How much longer, as JSON, the copies of one patch may make the object: each may hold the one before (jsonpatch.AccumulatedCopySizeLimit). */
const COPIED_LENGTH_MAX = 3 * 1024 * 1024;

/** Steps that the library passes over for safety; a patch that needs one is refused rather than applied elsewhere. */
const SKIPPED_TOKENS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Go's name of a JSON value's type, as its decoder complains about it. */
export function goJsonType(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value;
}

/**
 * `doc` with the operations of `patch` applied; `doc` stays as it is. Throws ApiError: 400 when the patch is no list of
 * operations, 413 when it has too many, 422 when one of them does not fit or they copy too much.
 */
export function applyJsonPatch(doc: Json, patch: Json): Json {
  if (patch === null) return doc;
  if (!Array.isArray(patch)) throw undecodable(patch, '[]handlers.jsonPatchOp');
  if (patch.length > MAX_JSON_PATCH_OPERATIONS) {
    throw requestEntityTooLarge(`The allowed maximum operations in a JSON patch is ${MAX_JSON_PATCH_OPERATIONS}, got ${patch.length}`);
  }
  const root: Root = { doc: structuredClone(doc), copied: 0 };
  for (const operation of patch) applyOperation(root, operation);
  return root.doc;
}

function undecodable(value: Json, into: string): Error {
  return badRequest(`error decoding patch: json: cannot unmarshal ${goJsonType(value)} into Go value of type ${into}`);
}

interface Root {
  doc: Json;
  /** Length of what was copied. */
  copied: number;
}

function applyOperation(root: Root, given: Json): void {
  if (given === null) throw unprocessable();
  if (typeof given !== 'object' || Array.isArray(given)) throw undecodable(given, 'handlers.jsonPatchOp');
  const operation = { ...given } as { op?: Json; path?: Json; from?: Json; value?: Json };
  if (operation.op === 'replace' && operation.path === '' && (operation.value ?? null) !== null) {
    // The patch may be applied again, to what another write left.
    root.doc = structuredClone(operation.value ?? null);
    return;
  }
  if (typeof operation.op !== 'string' || !isPointer(operation.path)) throw unprocessable();
  if ((operation.op === 'move' || operation.op === 'copy') && !isPointer(operation.from)) throw unprocessable();
  const target = Pointer.fromJSON(operation.path).evaluate(root.doc);
  const missing = !isThere(target.value);
  // Upstream sets a missing member on "replace", and a "test" for null holds where nothing is.
  const inObject = typeof target.parent === 'object' && target.parent !== null && !Array.isArray(target.parent);
  if (operation.op === 'replace' && missing && inObject) operation.op = 'add';
  // Nothing grows in a text or number, which the library would try.
  if (typeof target.parent !== 'object') throw unprocessable();
  if (operation.op === 'add') operation.value ??= null;
  if (operation.op === 'test' && missing && inObject && (operation.value ?? null) === null) return;
  if (operation.op === 'remove' && missing) throw unprocessable();
  if ((operation.op === 'move' || operation.op === 'copy') && isPointer(operation.from)) {
    const { value } = Pointer.fromJSON(operation.from).evaluate(root.doc);
    if (!isThere(value)) throw unprocessable();
    if (operation.op === 'copy') root.copied += stringifyJson(value).length;
    if (root.copied > COPIED_LENGTH_MAX) throw unprocessable();
  }
  // The shape was checked above; the library answers unknown operations itself.
  const [error] = applyPatch(root.doc, [operation as Operation]);
  if (error !== null && error !== undefined) throw unprocessable();
}

/** The library finds methods that every object inherits, such as toString. */
function isThere(value: unknown): boolean {
  return value !== undefined && typeof value !== 'function';
}

function isPointer(path: Json | undefined): path is string {
  // The whole document can only be replaced: upstream finds no container for it.
  return typeof path === 'string' && path.startsWith('/') && !path.split('/').some((token) => SKIPPED_TOKENS.has(token));
}
