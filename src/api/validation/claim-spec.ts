/** Validation of a claim's spec (upstream apis/resource/validation, validateResourceClaimSpec). */
import type { StrategyContext } from '../kind.ts';
import type { DeviceConstraint, DeviceRequest, DeviceSubRequest, ExactDeviceRequest, ResourceClaimSpec } from '../types/resource-v1.ts';
import { checkClassName, checkFullyQualifiedName, checkLabel } from './dra-names.ts';
import { dnsLabelProblems } from './names.ts';
import { checkList, type FieldErrors } from './report.ts';
import { checkConfiguration, checkSelectors, checkToleration } from './requests.ts';

/** resource.DeviceRequestsMaxSize. */
export const DEVICE_REQUESTS_MAX_SIZE = 32;
/** resource.DeviceConstraintsMaxSize. */
export const DEVICE_CONSTRAINTS_MAX_SIZE = 32;
/** resource.DeviceConfigMaxSize. */
export const DEVICE_CONFIG_MAX_SIZE = 32;
/** resource.FirstAvailableDeviceRequestMaxSize. */
export const FIRST_AVAILABLE_DEVICE_REQUEST_MAX_SIZE = 8;

/** What a reference to a request may say: "request" and "request/subrequest". */
export type RequestNames = ReadonlySet<string>;

/** A new claim's or template's spec at `path`. */
export function checkClaimSpec(errors: FieldErrors, path: string, spec: ResourceClaimSpec, context: StrategyContext): void {
  const devices = spec.devices ?? {};
  const names = requestNames(spec);
  const at = `${path}.devices`;
  checkList(errors, `${at}.requests`, devices.requests, {
    max: DEVICE_REQUESTS_MAX_SIZE,
    key: (request) => request.name,
    item: (request, item) => checkRequest(errors, item, request, context),
  });
  checkList(errors, `${at}.constraints`, devices.constraints, {
    max: DEVICE_CONSTRAINTS_MAX_SIZE,
    item: (constraint, item) => checkConstraint(errors, item, constraint, { names, context }),
  });
  checkList(errors, `${at}.config`, devices.config, {
    max: DEVICE_CONFIG_MAX_SIZE,
    item: (config, item) => {
      checkReferences(errors, `${item}.requests`, config.requests, names);
      checkConfiguration(errors, item, config);
    },
  });
}

/** All that references in this claim may name. */
export function requestNames(spec: ResourceClaimSpec): RequestNames {
  const names = new Set<string>();
  for (const request of spec.devices?.requests ?? []) {
    names.add(request.name);
    for (const alternative of request.firstAvailable ?? []) names.add(`${request.name}/${alternative.name}`);
  }
  return names;
}

function checkRequest(errors: FieldErrors, path: string, request: DeviceRequest, context: StrategyContext): void {
  checkLabel(errors, `${path}.name`, request.name);
  const prioritized = (request.firstAvailable?.length ?? 0) > 0;
  if (request.exactly !== undefined && prioritized) {
    return errors.invalid(path, null, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set');
  }
  if (request.exactly !== undefined) return checkAsk(errors, `${path}.exactly`, request.exactly, context);
  if (!prioritized) return errors.required(path, 'exactly one of `exactly` or `firstAvailable` is required');
  checkList(errors, `${path}.firstAvailable`, request.firstAvailable, {
    max: FIRST_AVAILABLE_DEVICE_REQUEST_MAX_SIZE,
    key: (alternative) => alternative.name,
    item: (alternative, item) => {
      checkLabel(errors, `${item}.name`, alternative.name);
      checkAsk(errors, item, alternative, context);
    },
  });
}

function checkAsk(errors: FieldErrors, path: string, ask: ExactDeviceRequest | DeviceSubRequest, context: StrategyContext): void {
  checkClassName(errors, `${path}.deviceClassName`, ask.deviceClassName);
  checkSelectors(errors, `${path}.selectors`, ask.selectors, context);
  checkMode(errors, path, ask);
  checkList(errors, `${path}.tolerations`, ask.tolerations, { item: (toleration, at) => checkToleration(errors, at, toleration) });
}

function checkMode(errors: FieldErrors, path: string, { allocationMode, count = 0 }: ExactDeviceRequest | DeviceSubRequest): void {
  if (allocationMode === 'All') {
    if (BigInt(count) !== 0n) errors.invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'");
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) errors.invalid(`${path}.count`, count, 'must be greater than zero');
  } else errors.notSupported(`${path}.allocationMode`, allocationMode ?? '', ['All', 'ExactCount']);
}

function checkConstraint(
  errors: FieldErrors,
  path: string,
  constraint: DeviceConstraint,
  { names, context }: { readonly names: RequestNames; readonly context: StrategyContext },
): void {
  checkReferences(errors, `${path}.requests`, constraint.requests, names);
  const { matchAttribute, distinctAttribute } = constraint;
  if (matchAttribute !== undefined) checkFullyQualifiedName(errors, `${path}.matchAttribute`, matchAttribute);
  else if (distinctAttribute !== undefined) checkFullyQualifiedName(errors, `${path}.distinctAttribute`, distinctAttribute);
  else if (context.gates.get('DRAConsumableCapacity') === true)
    errors.required(path, 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set');
  else errors.required(`${path}.matchAttribute`);
}

/** A list of references to requests, each at most once. */
export function checkReferences(errors: FieldErrors, path: string, references: readonly string[] | undefined, names: RequestNames): void {
  checkList(errors, path, references, {
    max: DEVICE_REQUESTS_MAX_SIZE,
    key: (reference) => reference,
    item: (reference, at) => checkReference(errors, at, reference, names),
  });
}

const REFERENCE_TEXT = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

/** One reference: its form, then what it refers to. */
export function checkReference(errors: FieldErrors, path: string, reference: string, names: RequestNames): void {
  const segments = reference.split('/');
  if (segments.length > 2) return errors.invalid(path, reference, REFERENCE_TEXT);
  for (const segment of segments) errors.invalidAll(path, segment, dnsLabelProblems(segment));
  if (!names.has(reference)) errors.invalid(path, reference, REFERENCE_TEXT);
}
