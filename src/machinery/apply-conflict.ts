/** Conflicts of server-side apply and their texts (managedfields/internal/conflict.go). */
import { type FieldPath, type FieldSet, fieldPathText } from './field-set.ts';
import { goQuote } from './go-text.ts';
import type { ManagerEntry } from './managed-fields.ts';
import { type ApiError, applyConflict } from './status.ts';

/** Fields that an apply would change although another manager owns them. */
export interface Conflict {
  readonly entry: ManagerEntry;
  readonly fields: FieldSet;
}

/** The 409 with one cause per field. */
export function conflictError(conflicts: readonly Conflict[]): ApiError {
  const ordered = conflicts.toSorted((a, b) => (managerText(a.entry) < managerText(b.entry) ? -1 : 1));
  const causes = ordered.flatMap(({ entry, fields }) =>
    [...fields.paths()].map((path) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${managerText(entry)}`,
      field: fieldPathText(path),
    })),
  );
  return applyConflict(causes, conflictText(ordered, causes.length));
}

function conflictText(conflicts: readonly Conflict[], count: number): string {
  const [first] = conflicts;
  if (count === 1 && first !== undefined) {
    const [path] = first.fields.paths();
    return `Apply failed with 1 conflict: conflict with ${managerText(first.entry)}: ${fieldPathText(path ?? [])}`;
  }
  const parts = conflicts.map(({ entry, fields }) => {
    const lines = [...fields.paths()].map((path: FieldPath) => `- ${fieldPathText(path)}`);
    return `conflicts with ${managerText(entry)}:\n${lines.join('\n')}`;
  });
  return `Apply failed with ${count} conflicts: ${parts.join('\n')}`;
}

function managerText({ manager, operation, apiVersion, subresource }: ManagerEntry): string {
  const name = subresource === '' ? goQuote(manager) : `${goQuote(manager)} with subresource ${goQuote(subresource)}`;
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
}
