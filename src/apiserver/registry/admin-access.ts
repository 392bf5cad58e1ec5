/** Admin access to devices: only in namespaces that carry a label (upstream: registry/resource AuthorizedForAdmin and AuthorizedForAdminStatus). */
import { ADMIN_ACCESS_LABEL, type FieldError, type ResourceClaim, type ResourceClaimTemplate } from '#api';
import type { ApiObject } from '#machinery';
import { namespaceNamed } from '../admission/namespace-lifecycle.ts';
import type { Core } from '../options.ts';

/** The refusal of a write that newly asks for, or newly grants, admin access in a namespace that does not allow it. */
export async function adminAccessErrors(core: Core, object: ApiObject, old?: ApiObject): Promise<readonly FieldError[]> {
  const path = adminAccessPath(object, old);
  if (path === undefined) return [];
  const namespace = await namespaceNamed(core, object.metadata.namespace ?? '');
  if (namespace?.object.metadata.labels?.[ADMIN_ACCESS_LABEL] === 'true') return [];
  const why = `admin access to devices requires the \`${ADMIN_ACCESS_LABEL}: true\` label on the containing namespace`;
  return [{ path, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` }];
}

/** Where a write brings admin access in: a new claim or template by its first such request, an update by its first such result. */
function adminAccessPath(object: ApiObject, old: ApiObject | undefined): string | undefined {
  if (object.kind === 'ResourceClaim') {
    // Narrowed by kind; stored claims have the form of v1.
    const claim = object as ResourceClaim;
    return old === undefined ? requestPath(claim.spec) : resultPath(claim, old as ResourceClaim);
  }
  // Narrowed by kind. Upstream reports requests of a template without the outer "spec".
  return object.kind === 'ResourceClaimTemplate' && old === undefined ? requestPath((object as ResourceClaimTemplate).spec.spec) : undefined;
}

function requestPath({ devices }: ResourceClaim['spec']): string | undefined {
  const at = (devices?.requests ?? []).findIndex((request) => request.exactly?.adminAccess === true);
  return at < 0 ? undefined : `spec.devices.requests[${String(at)}].adminAccess`;
}

function resultPath(claim: ResourceClaim, old: ResourceClaim): string | undefined {
  if (firstAdminResult(old) >= 0) return undefined;
  const at = firstAdminResult(claim);
  return at < 0 ? undefined : `status.allocation.devices.results[${String(at)}].adminAccess`;
}

function firstAdminResult({ status }: ResourceClaim): number {
  return (status?.allocation?.devices?.results ?? []).findIndex((result) => result.adminAccess === true);
}
