/** Conversion between versions of one shape. */
import type { ApiObject } from '#machinery';

/** A conversion that writes `apiVersion` and leaves the rest as it is. */
export function stampedAs(apiVersion: string): (object: ApiObject) => ApiObject {
  return (object) => ({ ...object, apiVersion });
}
