/** The namespace label that admits admin access to devices, and the wrong key for it that articles print. */
import type { ApiObject } from '#machinery';

/** Label of a namespace in which claims may ask for admin access; its value must be "true" (resource.k8s.io DRAAdminNamespaceLabelKey). */
export const ADMIN_ACCESS_LABEL = 'resource.kubernetes.io/admin-access';

/** The key in the group's name, under which DRA was announced for 1.34; it never had an effect in a release. */
const MISTAKEN_LABEL = 'resource.k8s.io/admin-access';

/** A Warning for a namespace that carries the mistaken key. */
export function adminAccessLabelWarnings({ metadata: { labels } }: ApiObject): readonly string[] {
  if (labels?.[MISTAKEN_LABEL] === undefined) return [];
  return [`metadata.labels[${MISTAKEN_LABEL}]: has no effect; the label that admits admin access to devices is ${ADMIN_ACCESS_LABEL}: "true"`];
}
