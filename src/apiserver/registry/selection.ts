/** Which objects a list or watch wants: label and field selectors. */
import { type ApiObject, badRequest, parseFieldSelector, parseLabelSelector } from '#machinery';
import type { Scope } from '../catalog.ts';
import type { Call } from './call.ts';

/** True for objects (in their storage version) that are wanted. */
export type Selection = (object: ApiObject) => boolean;

/** The selection of a call, undefined when it wants everything. A name in the path selects it (watch of one object). */
export function selectionOf(call: Call): Selection | undefined {
  const { query } = call.info;
  const labelText = query.get('labelSelector') ?? '';
  const fieldText = query.get('fieldSelector') ?? '';
  const { name } = call.target;
  const tests: Selection[] = [];
  if (labelText !== '') tests.push(labelTest(labelText));
  if (fieldText !== '') tests.push(fieldTest(call.scope, fieldText));
  if (name !== '') tests.push((object) => object.metadata.name === name);
  return tests.length === 0 ? undefined : (object) => tests.every((test) => test(object));
}

function labelTest(text: string): Selection {
  const matches = parseLabelSelector(text);
  return (object) => matches(object.metadata.labels ?? {});
}

function fieldTest(scope: Scope, text: string): Selection {
  const requirements = parseFieldSelector(text);
  for (const { field } of requirements) checkField(scope, field);
  return (object) => {
    const fields = fieldsOf(scope, object);
    return requirements.every(({ field, op, value }) => ((fields[field] ?? '') === value) === (op === '='));
  };
}

function checkField(scope: Scope, field: string): void {
  const { kind } = scope;
  const generic = kind.namespaced ? ['metadata.name', 'metadata.namespace'] : ['metadata.name'];
  const names = [...generic, ...(kind.selectableFieldNames ?? [])];
  if (names.includes(field)) return;
  if (kind.selectableFieldNames !== undefined && kind.selectableFieldNames.length > 0) throw badRequest(`field label not supported: ${field}`);
  throw badRequest(`${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`);
}

function fieldsOf(scope: Scope, object: ApiObject): Readonly<Record<string, string>> {
  const { name = '', namespace = '' } = object.metadata;
  return { ...scope.kind.selectableFields?.(object), 'metadata.name': name, 'metadata.namespace': namespace };
}
