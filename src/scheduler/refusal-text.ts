/** The text of a refusal as users see it in the pod's condition and event: upstream's FitError. */

/** Why one node was refused. */
export interface NodeRefusal {
  readonly nodeName: string;
  /** At least one; each is counted. */
  readonly reasons: readonly string[];
  /** Removing pods from the node would lift the refusal. */
  readonly preemptionHelps: boolean;
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 cannot allocate all claims.` and what PostFilter has to say. */
export function nodesRefusedText(refusals: readonly NodeRefusal[], afterwards: string): string {
  const reasons = countedList(refusals.flatMap((refusal) => refusal.reasons));
  const preemption = countedList(refusals.map((refusal) => (refusal.preemptionHelps ? NO_VICTIMS : NOT_HELPFUL)));
  return fitError(refusals.length, reasons, afterwards, preemption);
}

/** The text when the pod was refused before any node was looked at. */
export function podRefusedText(nodes: number, reason: string): string {
  return fitError(nodes, reason, 'no new claims to deallocate', `${nodes} ${NOT_HELPFUL}`);
}

const NOT_HELPFUL = 'Preemption is not helpful for scheduling';
const NO_VICTIMS = 'No preemption victims found for incoming pod';

function fitError(nodes: number, reasons: string, afterwards: string, preemption: string): string {
  const prefix = `0/${nodes} nodes are available: `;
  return `${prefix}${reasons}. ${afterwards}, preemption: ${prefix}${preemption}.`;
}

/** Equal texts are counted; the counted texts are sorted as strings, as upstream does. */
function countedList(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts]
    .map(([text, count]) => `${count} ${text}`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join(', ');
}
