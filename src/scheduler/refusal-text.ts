/** The text of a refusal as users see it in the pod's condition and event: upstream's FitError. */

/** What a refusal is made of. */
export interface RefusalParts {
  readonly nodes: number;
  /** The reasons of all nodes together. */
  readonly reasons: readonly string[];
  /** What the claims' PostFilter has to say. */
  readonly claims: string;
  /** Why preemption does not help: one text per node, or one for all. Absent when it does help. */
  readonly preemption?: readonly string[] | string | undefined;
}

/** `0/3 nodes are available: 1 Insufficient cpu, 2 cannot allocate all claims.` and what PostFilter has to say. */
export function nodesRefusedText({ nodes, reasons, claims, preemption }: RefusalParts): string {
  const refusal = `${prefix(nodes)}${countedList(reasons)}.`;
  if (preemption === undefined) return refusal;
  return `${refusal} ${claims}, preemption: ${typeof preemption === 'string' ? preemption : `${prefix(nodes)}${countedList(preemption)}.`}`;
}

/** The text when the pod was refused before any node was looked at. */
export function podRefusedText(nodes: number, reason: string): string {
  const helpless = `${prefix(nodes)}${String(nodes)} Preemption is not helpful for scheduling.`;
  return `${prefix(nodes)}${reason}. no new claims to deallocate, preemption: ${helpless}`;
}

function prefix(nodes: number): string {
  return `0/${String(nodes)} nodes are available: `;
}

/** Equal texts are counted; the counted texts are sorted as strings, as upstream does. */
function countedList(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts]
    .map(([text, count]) => `${String(count)} ${text}`)
    .sort((a, b) => (a < b ? -1 : 1))
    .join(', ');
}
