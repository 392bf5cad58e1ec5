/** The border between typed objects and plain JSON, where patches and managed fields work. */
import { assert } from '#base';
import { type ApiObject, type FieldPath, type Json, isJsonObject, sameJson, updateManagedFields } from '#machinery';
import { type Core, timestamp } from '../options.ts';
import type { Call } from './call.ts';
import { fieldManagerOf } from './write-options.ts';
import { fromStorage } from './object-store.ts';

/** An object as JSON. */
export function asJson(object: ApiObject): Json {
  // API objects are built from JSON values only.
  return object as unknown as Json;
}

/** JSON that is known to be an object with metadata. */
export function asObject(value: Json): ApiObject {
  assert(isJsonObject(value) && isJsonObject(value['metadata']), 'an API object has metadata');
  // Checked above as far as ApiObject demands.
  return value as unknown as ApiObject;
}

/** Whether parts of API objects are the same; a member that is undefined equals an absent one. */
export function equalParts(a: unknown, b: unknown): boolean {
  // Such parts are JSON values.
  return sameJson(a as Json | undefined, b as Json | undefined);
}

/** Fields that the endpoint of a call resets, whose setting therefore owns nothing (upstream: GetResetFields of the kinds' strategies). */
export function resetFieldsOf({ scope: { kind }, target: { subresource } }: Call): readonly FieldPath[] {
  if (!kind.subresources.includes('status')) return NOTHING;
  if (subresource === '' || subresource === 'finalize') return kind.resetByMain ?? STATUS;
  if (subresource !== 'status') return NOTHING;
  return kind.resetByStatus ?? SPEC;
}

const NOTHING: readonly FieldPath[] = [];
const STATUS: readonly FieldPath[] = [['f:status']];
const SPEC: readonly FieldPath[] = [['f:spec']];

/** metadata.managedFields after a write that computed none itself: its manager owns what it sets. `live` undefined creates; both in the storage version. */
export function ownership(core: Core, call: Call, live: ApiObject | undefined, object: ApiObject): ApiObject['metadata']['managedFields'] {
  const updated = asObject(
    updateManagedFields({
      live: live === undefined ? undefined : asJson(fromStorage(call.scope, live)),
      updated: asJson(fromStorage(call.scope, object)),
      manager: fieldManagerOf(call),
      apiVersion: call.scope.apiVersion,
      subresource: call.target.subresource,
      now: timestamp(core.options.clock.nowMs()),
      schema: call.scope.schema,
      resetFields: resetFieldsOf(call),
      rewritten: call.rewritten.map((path) => path.split('.').map((name) => `f:${name}`)),
    }),
  );
  return updated.metadata.managedFields;
}
