/**
 * machinery: what all kinds share and that knows none of them: metadata, JSON, quantities, versions, selectors, patches,
 * the Status of a refusal, and tables.
 */
export * from './meta.ts';
export { parseJson, stringifyJson } from './json.ts';
export { goJsonSyntaxError } from './go-json-syntax.ts';
export { parseYaml, stringifyYaml, YamlError, YamlTooLongError } from './yaml.ts';
export type { SchemaNode } from './schema.ts';
export * from './field-error.ts';
export * from './status.ts';
export { aggregateText, goFloat, goJson, goQuote, goValue } from './go-text.ts';
export * from './names.ts';
export { type Labels, parseInt64, type Requirement } from './requirement.ts';
export { labelSelectorRequirements, labelSelectorText, matchesLabelSelector, parseLabelRequirements, parseLabelSelector } from './label-selector.ts';
export { escapeFieldValue, type FieldRequirement, fieldSelectorText, matchesFieldRequirements, parseFieldSelector } from './field-selector.ts';
export {
  matchesNodeSelector,
  matchesNodeSelectorLazily,
  matchesNodeSelectorTerm,
  NodeSelectorError,
  type NodeRequirement,
  type NodeTerm,
  type NodeTerms,
  type SelectableNode,
} from './node-selector.ts';
export { parseQuantity, Quantity } from './quantity.ts';
export { QuantityError, type QuantityFormat } from './quantity-text.ts';
export { parseDuration } from './duration.ts';
export { Semver, SemverError } from './semver.ts';
export { applyJsonPatch, goJsonType, MAX_JSON_PATCH_OPERATIONS } from './json-patch.ts';
export { applyMergePatch, define, isJsonObject, type JsonObject } from './merge-patch.ts';
export { applyStrategicMergePatch } from './strategic-patch.ts';
export { type FieldPath, FieldSet, fieldPathText } from './field-set.ts';
export { FIELD_MANAGER_MAX_LENGTH, MAX_UPDATE_MANAGERS } from './managed-fields.ts';
export { managersAfterScale, SCALE_API_VERSION, scaleManagers } from './scale-managers.ts';
export { type ApplyInput, checkConfiguration, type FieldManagement, serverSideApply, type UpdateInput, updateManagedFields } from './server-side-apply.ts';
export { sameJson } from './typed-value.ts';
