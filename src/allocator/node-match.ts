/** Which nodes a slice, or a single device, can be reached from. */
import type { NodeSelector } from '#api';
import { matchesNodeSelector, NodeSelectorError } from '#machinery';
import { AllocationError } from './refusal.ts';

/** What the allocator knows of the node it allocates for. */
export interface NodeView {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** node.status.declaredFeatures. */
  readonly declaredFeatures?: readonly string[] | undefined;
}

/** The node choice of a slice or, with perDeviceNodeSelection, of a device. */
export interface NodeChoice {
  readonly nodeName?: string | undefined;
  readonly allNodes?: boolean | undefined;
  readonly nodeSelector?: NodeSelector | undefined;
}

/** Whether something is said at all about nodes. */
export function choosesNodes(choice: NodeChoice): boolean {
  return (choice.nodeName ?? '') !== '' || choice.allNodes === true || choice.nodeSelector !== undefined;
}

/** Whether the node is among the chosen ones. A selector that cannot be read is fatal; `what` names its place. */
export function matchesNode(choice: NodeChoice, node: NodeView, what: () => string): boolean {
  if ((choice.nodeName ?? '') !== '') return choice.nodeName === node.name;
  if (choice.allNodes === true) return true;
  if (choice.nodeSelector === undefined) return false;
  try {
    return matchesNodeSelector(choice.nodeSelector, node);
  } catch (error) {
    if (!(error instanceof NodeSelectorError)) throw error;
    throw new AllocationError(`gather pool information: failed to perform node selection for ${what()}: failed to parse node selector: ${error.message}`);
  }
}
