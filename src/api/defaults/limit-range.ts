/** Defaults of LimitRange (core/v1 SetDefaults_LimitRangeItem). */
import type { ApiObject } from '#machinery';
import type { LimitRange, LimitRangeItem } from '../types/core-v1.ts';

/** Of containers: the usual limit is the largest one, the usual request the usual limit, or else the smallest request. */
export function defaultLimitRange(object: ApiObject): ApiObject {
  const range = object as LimitRange;
  if (range.spec === undefined) return range;
  // A required list that is absent is null.
  const limits = range.spec.limits as readonly LimitRangeItem[] | null;
  if (limits === null) return range;
  const whole: LimitRange = { ...range, spec: { ...range.spec, limits: limits.map(defaultItem) } };
  return whole as ApiObject;
}

function defaultItem(item: LimitRangeItem): LimitRangeItem {
  if (item.type !== 'Container') return item;
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  return {
    ...item,
    ...(Object.keys(limits).length > 0 && { default: limits }),
    ...(Object.keys(requests).length > 0 && { defaultRequest: requests }),
  };
}
