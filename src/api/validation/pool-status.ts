/** Validation of ResourcePoolStatusRequest (upstream: pkg/apis/resource/validation, validateResourcePoolStatusRequest). */
import { goStruct } from './go-struct.ts';
import type { ApiObject } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import { sameValue } from '../object.ts';
import type { PoolStatus, ResourcePoolStatusRequest } from '../types/resource-v1alpha3.ts';
import { checkConditions } from './conditions.ts';
import { POOL_NAME_MAX_LENGTH } from './dra-names.ts';
import { caselessSubdomainProblems, dnsSubdomainProblems } from './names.ts';
import { byteLength, checkList, FieldErrors } from './report.ts';

/** Largest number of pools that a request may ask for. */
const LIMIT_MAX = 1000;
/** Largest number of pools in a status. */
const POOLS_MAX_SIZE = 1000;
/** Largest length of a pool's validation error. */
const VALIDATION_ERROR_MAX_LENGTH = 256;
/** Largest number of conditions. */
const CONDITIONS_MAX_SIZE = 10;
const IMMUTABLE = 'field is immutable';

/** A new request. */
export function validatePoolStatusRequest(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { driver, poolName, limit } = (object as ResourcePoolStatusRequest).spec;
  checkDriver(errors, 'spec.driver', driver);
  if (poolName !== undefined) checkPool(errors, 'spec.poolName', poolName);
  if (limit !== undefined && limit < 1) errors.invalid('spec.limit', limit, 'must be greater than or equal to 1');
  if (limit !== undefined && limit > LIMIT_MAX) errors.invalid('spec.limit', limit, `must be less than or equal to ${String(LIMIT_MAX)}`);
  return errors.list;
}

/** An update: the spec is fixed, the status is written once. */
export function validatePoolStatusRequestUpdate(object: ApiObject, old: ApiObject, { subresource }: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  const [next, before] = [object as ResourcePoolStatusRequest, old as ResourcePoolStatusRequest];
  if (!sameValue(next.spec, before.spec)) errors.invalid('spec', null, IMMUTABLE);
  if (subresource === 'status') checkStatus(errors, next, before);
  return errors.list;
}

function checkStatus(errors: FieldErrors, { status }: ResourcePoolStatusRequest, old: ResourcePoolStatusRequest): void {
  if (old.status !== undefined && !sameValue(status, old.status))
    return errors.invalid('status', status === undefined ? null : goStruct(status, 'io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestStatus'), IMMUTABLE);
  if (status === undefined) return;
  if (status.poolCount === undefined) errors.required('status.poolCount');
  else if (status.poolCount < 0) errors.invalid('status.poolCount', status.poolCount, 'must be greater than or equal to 0');
  checkList(errors, 'status.pools', status.pools, { max: POOLS_MAX_SIZE, item: (pool, path) => checkPoolStatus(errors, path, pool) });
  const conditions = status.conditions ?? [];
  checkConditions(errors, 'status.conditions', conditions, CONDITIONS_MAX_SIZE);
  conditions.forEach((condition, index) => {
    // Upstream finds a repeated type twice: the list is a map by type, too.
    const repeated = conditions.findIndex(({ type }) => type === condition.type) < index;
    if (repeated) errors.duplicate(`status.conditions[${String(index)}]`, goStruct(condition, 'io.k8s.apimachinery.pkg.apis.meta.v1.Condition'));
  });
}

const COUNTS = ['generation', 'totalDevices', 'allocatedDevices', 'availableDevices', 'unavailableDevices'] as const;

function checkPoolStatus(errors: FieldErrors, path: string, pool: PoolStatus): void {
  checkDriver(errors, `${path}.driver`, pool.driver);
  if ((pool.poolName ?? '') === '') errors.required(`${path}.poolName`);
  else checkPool(errors, `${path}.poolName`, pool.poolName);
  if (BigInt(pool.generation ?? 0) === 0n) errors.required(`${path}.generation`);
  for (const member of COUNTS) {
    const count = pool[member];
    if (count !== undefined && count < 0) errors.invalid(`${path}.${member}`, count, 'must be greater than or equal to 0');
  }
  const { resourceSliceCount, validationError, nodeName } = pool;
  if (nodeName !== undefined) errors.invalidAll(`${path}.nodeName`, nodeName, dnsSubdomainProblems(nodeName, 'bytes'));
  if (resourceSliceCount !== undefined && resourceSliceCount < 1)
    errors.invalid(`${path}.resourceSliceCount`, resourceSliceCount, 'must be greater than or equal to 1');
  if (validationError !== undefined && byteLength(validationError) > VALIDATION_ERROR_MAX_LENGTH)
    errors.tooLong(`${path}.validationError`, VALIDATION_ERROR_MAX_LENGTH);
}

/** A driver in any case; longer names than elsewhere pass. */
function checkDriver(errors: FieldErrors, path: string, name: string | undefined): void {
  if (name === undefined || name === '') errors.required(path);
  else errors.invalidAll(path, name, caselessSubdomainProblems(name, 'bytes'));
}

/** As pools elsewhere, with the number of the bad segment in the text. */
function checkPool(errors: FieldErrors, path: string, name: string): void {
  if (byteLength(name) > POOL_NAME_MAX_LENGTH) errors.tooLong(path, POOL_NAME_MAX_LENGTH);
  name.split('/').forEach((segment, index) => {
    if (segment === '') errors.invalid(path, name, `segment ${String(index)}: must not be empty`);
    else
      errors.invalidAll(
        path,
        segment,
        dnsSubdomainProblems(segment, 'bytes').map((problem) => `segment ${String(index)}: ${problem}`),
      );
  });
}
