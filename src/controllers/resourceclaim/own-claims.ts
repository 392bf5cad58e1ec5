/** Remembers claims just created, until the informer has them: without that one pod could get two. */
import type { ResourceClaim } from '#api';
import type { Lister } from '#client';
import { POD_CLAIM_NAME, controllerUid } from './pod-state.ts';

/** The name of the informer's index of claims by the uid of the pod or group that controls them. */
export const BY_CONTROLLER = 'controller';

/** Claims made for pods: the informer's, and those created so recently that it has not delivered them. */
export class OwnClaims {
  readonly #claims: Lister<ResourceClaim>;
  readonly #created = new Map<string, ResourceClaim>();

  constructor(claims: Lister<ResourceClaim>) {
    this.#claims = claims;
  }

  /** The claim that was made for this entry of the pod or group with this uid, one that is not being deleted if there is a choice. */
  find(uid: string, entry: string): ResourceClaim | undefined {
    const known = [...this.#claims.byIndex(BY_CONTROLLER, uid), ...this.#created.values()].filter(
      (claim) => controllerUid(claim) === uid && claim.metadata.annotations?.[POD_CLAIM_NAME] === entry,
    );
    return known.find((claim) => claim.metadata.deletionTimestamp === undefined) ?? known[0];
  }

  /** The claim has been created. */
  remember(claim: ResourceClaim): void {
    this.#created.set(claim.metadata.uid ?? '', claim);
  }

  /** The informer knows of the claim, or of its deletion. */
  delivered(claim: ResourceClaim): void {
    this.#created.delete(claim.metadata.uid ?? '');
  }
}
