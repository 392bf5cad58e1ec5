/** The allocation results: what each claim got, with which configuration and from which nodes it can be used. */
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceAllocationResult,
  DeviceRequestAllocationResult,
  NodeSelector,
  NodeSelectorRequirement,
} from '#api';
import type { Random } from '#base';
import { nameOf, type Quantity } from '#machinery';
import type { Pick } from './attempt.ts';
import type { Features } from './features.ts';
import type { NodeView } from './node-match.ts';
import { AllocationError } from './refusal.ts';
import { className, type DeviceAsk } from './device-ask.ts';
import type { ClaimPlan } from './requests.ts';

/** A result entry with the fields of Kubernetes 1.37. */
interface LaterResult extends DeviceRequestAllocationResult {
  readonly skipNodeOperations?: readonly string[] | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The allocation of one claim. `picks` are its own, in the order in which they were made. Throws AllocationError. */
export function allocationResult(plan: ClaimPlan, picks: readonly Pick[], context: { node: NodeView; features: Features; random: Random }): AllocationResult {
  const { node, features, random } = context;
  const asks = chosenAsks(plan, picks);
  const listed = configOf(plan, asks);
  const config = features.unlistedWholeConfig ? listed.map((each) => withoutFullList(each, asks)) : listed.map(withoutEmptyList);
  const devices: Mutable<DeviceAllocationResult> = {};
  if (picks.length > 0) devices.results = picks.map((pick) => resultEntry(pick, features, random));
  if (config.length > 0) devices.config = config;
  const result: Mutable<AllocationResult> = { devices };
  const nodeSelector = nodeSelectorOf(plan, picks, node);
  if (nodeSelector !== undefined) result.nodeSelector = nodeSelector;
  return result;
}

function resultEntry({ ask, entry, share }: Pick, features: Features, random: Random): LaterResult {
  const { device, slice } = entry;
  const result: Mutable<LaterResult> = { request: ask.name, driver: entry.driver, pool: slice.poolName, device: device.name };
  if (ask.adminAccess) result.adminAccess = true;
  if ((ask.tolerations?.length ?? 0) > 0) result.tolerations = ask.tolerations;
  if (features.deviceBindingAndStatus) {
    const { bindingConditions, bindingFailureConditions } = device;
    if ((bindingConditions?.length ?? 0) > 0) result.bindingConditions = bindingConditions;
    if ((bindingFailureConditions?.length ?? 0) > 0) result.bindingFailureConditions = bindingFailureConditions;
  }
  if (share !== undefined) result.shareID = random.uuid();
  if (share !== undefined && share.size > 0) result.consumedCapacity = amountTexts(share);
  if (slice.skipNodeOperations.length > 0) result.skipNodeOperations = slice.skipNodeOperations;
  return result;
}

function amountTexts(amounts: ReadonlyMap<string, Quantity>): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [name, amount] of amounts) texts[name] = amount.toString();
  return texts;
}

/** For each request the ask that was served. A list of which nothing was picked counts with its first alternative. */
function chosenAsks(plan: ClaimPlan, picks: readonly Pick[]): readonly DeviceAsk[] {
  const chosen: DeviceAsk[] = [];
  for (const { asks } of plan.requests) {
    const served = asks.length > 1 ? asks.find((ask) => picks.some((pick) => pick.ask === ask)) : undefined;
    const ask = served ?? asks[0];
    if (ask !== undefined) chosen.push(ask);
  }
  return chosen;
}

/** The classes' configuration first, so that a driver lets the claim's override it. */
function configOf(plan: ClaimPlan, asks: readonly DeviceAsk[]): readonly DeviceAllocationConfiguration[] {
  if (plan.claim.spec.devices?.config === undefined && asks.every(({ deviceClass }) => deviceClass.spec.config === undefined)) return [];
  const classes = new Map<string, readonly DeviceAsk[]>();
  for (const ask of asks) classes.set(className(ask), [...(classes.get(className(ask)) ?? []), ask]);
  const configs: DeviceAllocationConfiguration[] = [];
  for (const users of classes.values()) {
    for (const { opaque } of users[0]?.deviceClass.spec.config ?? []) {
      configs.push({ source: 'FromClass', requests: users.map((ask) => ask.name), ...(opaque !== undefined && { opaque }) });
    }
  }
  for (const { requests = [], opaque } of plan.claim.spec.devices?.config ?? []) {
    const concerns = requests.length === 0 || asks.some((ask) => requests.includes(ask.parent) || requests.includes(ask.name));
    if (concerns) configs.push({ source: 'FromClaim', requests, ...(opaque !== undefined && { opaque }) });
  }
  return configs;
}

function withoutEmptyList({ requests = [], ...config }: DeviceAllocationConfiguration): DeviceAllocationConfiguration {
  return requests.length === 0 ? config : { ...config, requests };
}

/** No list means all requests, so a list of all of them is left out. */
function withoutFullList({ requests = [], ...config }: DeviceAllocationConfiguration, asks: readonly DeviceAsk[]): DeviceAllocationConfiguration {
  const coversAll = asks.every((ask) => requests.includes(ask.parent) || requests.includes(ask.name));
  return requests.length === 0 || coversAll ? config : { ...config, requests };
}

/** Where the claim can be used: on this node only as soon as one device says so, else wherever all devices can be reached. */
function nodeSelectorOf(plan: ClaimPlan, picks: readonly Pick[], node: NodeView): NodeSelector | undefined {
  const expressions: NodeSelectorRequirement[] = [];
  const fields: NodeSelectorRequirement[] = [];
  for (const { entry } of picks) {
    const { device, slice } = entry;
    const choice = slice.spec.perDeviceNodeSelection === true ? device : slice.spec;
    const isBound = (choice.nodeName ?? '') !== '' || device.bindsToNode === true;
    if (isBound) return { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node.name] }] }] };
    const terms = choice.nodeSelector?.nodeSelectorTerms ?? [];
    if (choice.nodeSelector === undefined) continue;
    const [term] = terms;
    if (term === undefined || terms.length > 1) {
      throw new AllocationError(`create NodeSelector for claim ${nameOf(plan.claim)}: unsupported ResourceSlice.NodeSelector with ${terms.length} terms`);
    }
    unite(expressions, term.matchExpressions ?? []);
    unite(fields, term.matchFields ?? []);
  }
  if (expressions.length === 0 && fields.length === 0) return undefined;
  return { nodeSelectorTerms: [{ ...(expressions.length > 0 && { matchExpressions: expressions }), ...(fields.length > 0 && { matchFields: fields }) }] };
}

function unite(requirements: NodeSelectorRequirement[], more: readonly NodeSelectorRequirement[]): void {
  for (const requirement of more) if (!requirements.some((known) => isSame(known, requirement))) requirements.push(requirement);
}

function isSame(a: NodeSelectorRequirement, b: NodeSelectorRequirement): boolean {
  return a.key === b.key && a.operator === b.operator && new Set(a.values).symmetricDifference(new Set(b.values)).size === 0;
}
