/** The table at the end of `dray up`: who got which device. */
import type { Pod, ResourceClaim } from '#api';
import { nameOf, namespaceOf } from '#machinery';
import { alignColumns } from './columns.ts';
import { refusalOf } from './expectations.ts';

/** A cluster as the table shows it. `cdiIds` gives the CDI ids of a claim (by uid) on a node. */
export interface ClaimTableInput {
  readonly pods: readonly Pod[];
  readonly claim: (key: string) => ResourceClaim | undefined;
  readonly cdiIds: (claimUid: string) => readonly string[];
}

const HEADER = ['NAMESPACE', 'POD', 'NODE', 'CLAIM', 'DEVICES', 'SHARE', 'CONSUMED', 'STATE', 'CDI IDS'];
const NONE = '-';
/** Characters shown of a share id, enough to tell the shares of a cluster apart. */
const SHARE_ID_SHOWN = 8;

/** One row per pod and claim; below, the reasons of pods that wait. */
export function claimTable(input: ClaimTableInput): string {
  const pods = [...input.pods].sort((a, b) => order(a).localeCompare(order(b)));
  const rows = pods.flatMap((pod) => rowsOf(pod, input));
  const reasons = pods.flatMap((pod) => {
    const reason = refusalOf(pod);
    return reason === undefined ? [] : [`${order(pod)} is pending: ${reason}\n`];
  });
  return alignColumns([HEADER, ...rows]).text + (reasons.length === 0 ? '' : `\n${reasons.join('')}`);
}

function order(pod: Pod): string {
  return `${namespaceOf(pod)}/${nameOf(pod)}`;
}

function rowsOf(pod: Pod, input: ClaimTableInput): string[][] {
  const fixed = [namespaceOf(pod), nameOf(pod), pod.spec?.nodeName ?? NONE];
  const state = pod.status?.phase ?? NONE;
  const claims = claimNames(pod).map((name) => input.claim(`${namespaceOf(pod)}/${name}`));
  if (claims.length === 0) return [[...fixed, NONE, NONE, NONE, NONE, state, NONE]];
  return claims.map((claim) => {
    const cdiIds = claim === undefined ? [] : input.cdiIds(claim.metadata.uid ?? '');
    return [...fixed, ...(claim === undefined ? [NONE, NONE, NONE, NONE] : claimCells(claim)), state, listed(cdiIds)];
  });
}

function claimCells(claim: ResourceClaim): string[] {
  const results = claim.status?.allocation?.devices?.results ?? [];
  const consumed = results.flatMap((result) => Object.entries(result.consumedCapacity ?? {}).map(([name, quantity]) => `${name}=${quantity}`));
  const shares = results.flatMap((result) => result.shareID?.slice(0, SHARE_ID_SHOWN) ?? []);
  return [nameOf(claim), listed(results.map((result) => result.device)), listed(shares), listed(consumed)];
}

function listed(items: readonly string[]): string {
  return items.length === 0 ? NONE : items.join(',');
}

/** Claims by name: generated ones as the pod's status tells. */
function claimNames(pod: Pod): readonly string[] {
  return (pod.spec?.resourceClaims ?? []).flatMap((claim) => {
    const name = claim.resourceClaimName ?? pod.status?.resourceClaimStatuses?.find((status) => status.name === claim.name)?.resourceClaimName;
    return name === undefined ? [] : [name];
  });
}
