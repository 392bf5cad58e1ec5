/** Makes the claims that pods and groups of pods ask for by template, each once. */
import { asError } from '#base';
import type { ResourceClaim, ResourceClaimTemplate } from '#api';
import { type EventRecorder, type Lister, RESOURCE_CLAIMS, type RestClient } from '#client';
import { type ApiObject, namespaceOf } from '#machinery';
import { claimForTemplate, templateObstacle } from './claim-for-template.ts';
import type { ClaimMetrics } from './claim-metrics.ts';
import type { OwnClaims } from './own-claims.ts';

/** What making claims needs. */
export interface ClaimMakerParts {
  readonly client: RestClient;
  readonly events: EventRecorder;
  readonly gates: ReadonlyMap<string, boolean>;
  readonly templates: Lister<ResourceClaimTemplate>;
  readonly own: OwnClaims;
  readonly metrics: ClaimMetrics;
}

/** The entry of an owner, and the template that it names. */
export interface WantedClaim {
  readonly entry: string;
  readonly template: string;
}

/** The claim of the owner's entry: the one that is there, or a new one. A failure is told in an event of the owner before this rejects. */
export async function findOrCreateClaim(owner: ApiObject, wanted: WantedClaim, parts: ClaimMakerParts): Promise<ResourceClaim> {
  const existing = parts.own.find(owner.metadata.uid ?? '', wanted.entry);
  if (existing !== undefined) return existing;
  try {
    return await create(owner, wanted, parts);
  } catch (error) {
    const message = `${owner.kind ?? 'Pod'}ResourceClaim ${wanted.entry}: ${asError(error).message}`;
    parts.events.event(owner, { type: 'Warning', reason: 'FailedResourceClaimCreation', message });
    throw error;
  }
}

async function create(owner: ApiObject, wanted: WantedClaim, parts: ClaimMakerParts): Promise<ResourceClaim> {
  const template = parts.templates.get(`${namespaceOf(owner)}/${wanted.template}`);
  if (template === undefined) {
    throw new Error(`resource claim template "${wanted.template}": resourceclaimtemplate.resource.k8s.io "${wanted.template}" not found`);
  }
  const obstacle = templateObstacle(template, parts.gates);
  if (obstacle !== undefined) throw new Error(obstacle);
  const planned = claimForTemplate(owner, wanted.entry, template);
  try {
    const claim = await parts.client.create(RESOURCE_CLAIMS, planned);
    parts.own.remember(claim);
    parts.metrics.created(planned, 'success');
    return claim;
  } catch (error) {
    parts.metrics.created(planned, 'failure');
    // Upstream names the claim here, which has no name yet: hence the blank before the colon.
    throw new Error(`create ResourceClaim : ${asError(error).message}`, { cause: error });
  }
}
