/** What the resource claim controller measures, under upstream's names: those of 1.36 and the ones that 1.37 gave them. */
import type { Counter, Metrics, Reading } from '#base';
import type { ResourceClaim } from '#api';
import type { Lister } from '#client';
import { controllerUid, POD_CLAIM_NAME } from './pod-state.ts';

/** Marks claims that the scheduler made (resource/v1: ExtendedResourceClaimAnnotation). */
const EXTENDED_RESOURCE_CLAIM = 'resource.kubernetes.io/extended-resource-claim';

/** Counts the claims that the controller creates or fails to create. */
export interface ClaimMetrics {
  created(claim: ResourceClaim, status: 'success' | 'failure'): void;
}

type ClaimLabel = 'allocated' | 'admin_access' | 'source';

/** Declares the metrics; claims are counted when somebody asks. */
export function claimMetrics(metrics: Metrics, claims: Lister<ResourceClaim>): ClaimMetrics {
  const labels = ['status', 'admin_access'] as const;
  const help = 'Number of ResourceClaims creation requests, categorized by creation status and admin access';
  const counters: readonly Counter<'status' | 'admin_access'>[] = [
    'resourceclaim_controller_creates_total',
    'dynamic_resource_allocation_resourceclaim_creates_total',
  ].map((name) => metrics.counter({ name, help, labels }));
  const gaugeHelp =
    "Number of ResourceClaims, categorized by allocation status, admin access, and source. Source can be 'resource_claim_template' (created from a template), 'extended_resource' (extended resources), or empty (manually created by a user).";
  for (const name of ['resourceclaim_controller_resource_claims', 'dynamic_resource_allocation_resource_claims']) {
    metrics.gaugeFrom<ClaimLabel>({ name, help: gaugeHelp, labels: ['allocated', 'admin_access', 'source'] }, () => claimCounts(claims.list()));
  }
  return {
    created: (claim, status) => {
      for (const counter of counters) counter.inc({ status, admin_access: String(hasAdminAccess(claim)) });
    },
  };
}

/** How many claims there are of each sort. */
export function claimCounts(claims: readonly ResourceClaim[]): readonly Reading<ClaimLabel>[] {
  const counts = new Map<string, Reading<ClaimLabel>>();
  for (const claim of claims) {
    const labels = { allocated: String(claim.status?.allocation !== undefined), admin_access: String(hasAdminAccess(claim)), source: sourceOf(claim) };
    const key = Object.values(labels).join('/');
    counts.set(key, { labels, value: (counts.get(key)?.value ?? 0) + 1 });
  }
  return [...counts.values()];
}

function hasAdminAccess({ spec }: ResourceClaim): boolean {
  return (spec.devices?.requests ?? []).some((request) => request.exactly?.adminAccess === true);
}

function sourceOf(claim: ResourceClaim): 'resource_claim_template' | 'extended_resource' | '' {
  const { annotations } = claim.metadata;
  if (annotations?.[EXTENDED_RESOURCE_CLAIM] === 'true') return 'extended_resource';
  return annotations?.[POD_CLAIM_NAME] !== undefined && controllerUid(claim) !== undefined ? 'resource_claim_template' : '';
}
