/** Which objects a list or watch wants: label and field selectors. */
import { compareReleases, type Kind } from '#api';
import { badRequest, parseFieldSelector, parseLabelSelector } from '#machinery';
import type { Scope } from '../catalog.ts';
import type { Core } from '../options.ts';
import type { Call } from './call.ts';
import type { Selectable, StoredObject } from './object-store.ts';

/** True for objects that are wanted. */
export type Selection = (stored: StoredObject) => boolean;

/** The selection of a call, undefined when it wants everything. A name in the path selects it (watch of one object). */
export function selectionOf({ options }: Core, call: Call): Selection | undefined {
  const { query } = call.info;
  const labelText = query.get('labelSelector') ?? '';
  const fieldText = query.get('fieldSelector') ?? '';
  const { name } = call.target;
  const tests: Test[] = [];
  if (labelText !== '') tests.push(labelTest(labelText));
  if (fieldText !== '') tests.push(fieldTest(call.scope, fieldText, options.emulatedVersion));
  if (name !== '') tests.push(({ fields }) => fields['metadata.name'] === name);
  return tests.length === 0 ? undefined : (stored) => tests.every((test) => test(stored.selectable(call.scope.kind)));
}

/** The one namespace that the field selector of a query allows, if it names one. */
export function selectedNamespace(query: URLSearchParams): string | undefined {
  const wanted = parseFieldSelector(query.get('fieldSelector') ?? '').find(({ field, op }) => field === 'metadata.namespace' && op === '=');
  return wanted?.value;
}

/** The values that fields must have for a call to want an object, those of its path among them. */
export function requiredValues(call: Call): ReadonlyMap<string, string> {
  const required = new Map<string, string>();
  for (const { field, op, value } of parseFieldSelector(call.info.query.get('fieldSelector') ?? '')) if (op === '=') required.set(field, value);
  if (call.target.name !== '') required.set('metadata.name', call.target.name);
  return required;
}

type Test = (selectable: Selectable) => boolean;

function labelTest(text: string): Test {
  const matches = parseLabelSelector(text);
  return ({ labels }) => matches(labels);
}

function fieldTest(scope: Scope, text: string, release: string): Test {
  const requirements = parseFieldSelector(text);
  for (const { field } of requirements) checkField(scope, field, release);
  return ({ fields }) => requirements.every(({ field, op, value }) => ((fields[field] ?? '') === value) === (op === '='));
}

/** The fields of the kind that a release knows. */
function fieldNames({ selectableFieldNames: names = [], selectableSince: since = {} }: Kind, release: string): readonly string[] {
  return names.filter((name) => compareReleases(since[name] ?? '1.0', release) <= 0);
}

function checkField(scope: Scope, field: string, release: string): void {
  const { kind } = scope;
  const own = fieldNames(kind, release);
  // Without field labels of its own a kind knows those of every object, whether it has a namespace or not.
  const spaced = kind.namespaced || own.length === 0;
  const generic = spaced ? ['metadata.name', 'metadata.namespace'] : ['metadata.name'];
  if ([...generic, ...own].includes(field)) return;
  if (own.length > 0) {
    // Upstream's older groups leave the kind out.
    const where = kind.group === 'resource.k8s.io' ? ` for ${scope.apiVersion}, Kind=${kind.kind}` : '';
    if (kind.group === 'batch') throw badRequest(`field label ${JSON.stringify(field)} not supported for ${kind.kind}`);
    throw badRequest(`field label not supported${where}: ${field}`);
  }
  throw badRequest(`${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`);
}
