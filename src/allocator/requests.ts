/** The requests of the claims, checked and prepared for the search (upstream's validateDeviceRequest). */
import type { DeviceClass, DeviceRequest, DeviceSelector, DeviceSubRequest, ExactDeviceRequest, ResourceClaim } from '#api';
import { keyOf, notFound } from '#machinery';
import { CapacityError, type CapacityCheck } from './capacity.ts';
import { type Constraint, constraintsOf } from './constraints.ts';
import type { DerivedAttributes } from './derived.ts';
import type { DeviceEntry } from './device.ts';
import type { Candidate, DeviceAsk } from './device-ask.ts';
import type { Eligibility } from './eligibility.ts';
import type { Features } from './features.ts';
import { NO_AMOUNTS_REQUESTED, type OfferCache } from './offers.ts';
import type { NodePool } from './pool-view.ts';
import { AllocationError, NodeError } from './refusal.ts';
import type { SelectorCache } from './selectors.ts';

/** The most devices that one claim may hold (resource/v1 AllocationResultsMaxSize). */
export const ALLOCATION_RESULTS_MAX_SIZE = 32;

/** A request: either one ask, or alternatives in order of preference. */
export interface RequestPlan {
  readonly name: string;
  readonly asks: readonly DeviceAsk[];
  readonly isList: boolean;
}

/** A claim, ready to be searched for. */
export interface ClaimPlan {
  readonly claim: ResourceClaim;
  readonly key: string;
  readonly requests: readonly RequestPlan[];
  readonly constraints: readonly Constraint[];
}

/** What preparing a request needs to know. */
export interface PlanContext {
  readonly features: Features;
  readonly pools: readonly NodePool[];
  readonly selectors: SelectorCache;
  readonly offers: OfferCache;
  readonly eligibility: Eligibility;
  readonly capacity: CapacityCheck;
  readonly derived: DerivedAttributes;
  readonly deviceClass: (name: string) => DeviceClass | undefined;
}

/** Prepares the claims in order. Throws AllocationError or NodeError at the first defect. */
export function planClaims(claims: readonly ResourceClaim[], context: PlanContext): readonly ClaimPlan[] {
  return claims.map((claim, index) => planClaim(claim, index, context));
}

function planClaim(claim: ResourceClaim, index: number, context: PlanContext): ClaimPlan {
  const key = keyOf(claim);
  const requests: RequestPlan[] = [];
  let devicesMin = 0;
  for (const request of claim.spec.devices?.requests ?? []) {
    const plan = planRequest(request, { claim: index, claimKey: key, context });
    const least = fewestDevices(plan.asks);
    if (context.features.limitPerRequest && devicesMin + least > ALLOCATION_RESULTS_MAX_SIZE) {
      const limit = `exceeds the claim limit of ${ALLOCATION_RESULTS_MAX_SIZE}, with ${devicesMin} already accounted for`;
      throw new AllocationError(`claim ${key}, request ${request.name}: adding ${least} devices ${limit}`);
    }
    devicesMin += least;
    requests.push(plan);
  }
  if (devicesMin > ALLOCATION_RESULTS_MAX_SIZE) {
    throw new AllocationError(`claim ${key}: number of requested devices ${devicesMin} exceeds the claim limit of ${ALLOCATION_RESULTS_MAX_SIZE}`);
  }
  return { claim, key, requests, constraints: constraintsOf(claim, key, context) };
}

function fewestDevices([first, ...others]: readonly DeviceAsk[]): number {
  return others.reduce((least, { count }) => Math.min(least, count), first?.count ?? 0);
}

/** Where a request stands. */
interface Place {
  readonly claim: number;
  readonly claimKey: string;
  readonly context: PlanContext;
}

/** What is wrong with a request. */
function defect(place: Place, request: string, why: string): AllocationError {
  return new AllocationError(`claim ${place.claimKey}, ${request}: ${why}`);
}

function planRequest(request: DeviceRequest, place: Place): RequestPlan {
  const { name, exactly, firstAvailable = [] } = request;
  const { features } = place.context;
  if (firstAvailable.length === 0) {
    const ask: ExactDeviceRequest = exactly ?? { deviceClassName: '' };
    if (lacksCapacityFeature(ask, features)) throw defect(place, `request ${name}`, CAPACITY_IS_OFF);
    return { name, asks: [planAsk(ask, { name, shortName: name, parent: name }, place)], isList: false };
  }
  if (!features.prioritizedList) throw defect(place, `request ${name}`, 'has subrequests, but the DRAPrioritizedList feature is disabled');
  const refused = firstAvailable.find((sub) => lacksCapacityFeature(sub, features));
  if (refused !== undefined) throw defect(place, `subrequest ${refused.name}`, CAPACITY_IS_OFF);
  const asks = firstAvailable.map((sub) => planAsk(sub, { name: `${name}/${sub.name}`, shortName: sub.name, parent: name }, place));
  return { name, asks, isList: true };
}

const CAPACITY_IS_OFF = 'has capacity requests, but the DRAConsumableCapacity feature is disabled';

function lacksCapacityFeature(ask: ExactDeviceRequest | DeviceSubRequest, features: Features): boolean {
  return ask.capacity !== undefined && !features.consumableCapacity;
}

type Names = Pick<DeviceAsk, 'name' | 'shortName' | 'parent'>;

function planAsk(ask: LaterAsk, names: Names, place: Place): DeviceAsk {
  const { features, selectors, offers } = place.context;
  const deviceClass = judged(ask, names.shortName, place);
  const { name, shortName, parent } = names;
  const plan: DeviceAsk = {
    claim: place.claim,
    claimKey: place.claimKey,
    name,
    shortName,
    parent,
    deviceClass,
    selectors: selectors.setOf(deviceClass.spec.selectors ?? NO_SELECTORS, ask.selectors ?? NO_SELECTORS, features),
    tolerations: ask.tolerations,
    adminAccess: ask.adminAccess === true,
    derived: derivedOf(ask),
    offers: offers.offersFor(ask.capacity?.requests ?? NO_AMOUNTS_REQUESTED, features.fractionalCapacityRange),
    // A count that a double cannot hold exactly exceeds every limit, so only the text of the refusal would show the difference.
    count: Number(ask.count ?? 0),
    all: undefined,
  };
  if (ask.allocationMode === 'ExactCount') return plan;
  const all = allDevices(plan, place);
  return { ...plan, count: all.length, all };
}

/** The class of what is asked for. Throws AllocationError when it, or anything else that is asked for, is not there or makes no sense. */
function judged(ask: LaterAsk, name: string, place: Place): DeviceClass {
  const { features, deviceClass } = place.context;
  const request = `request ${name}`;
  const empty = ask.selectors?.findIndex(({ cel }) => cel === undefined) ?? -1;
  if (empty >= 0) throw defect(place, `${request}, selector #${empty}`, 'CEL expression empty (unsupported selector type?)');
  if ((ask.derivedAttributes?.length ?? 0) > 0 && !features.derivedAttributes) {
    throw defect(place, request, 'cannot handle request with derived attributes, the feature is disabled');
  }
  // Even an explicit false asks for a feature that is off.
  if (ask.adminAccess !== undefined && !features.adminAccess) throw defect(place, request, 'admin access is requested, but the feature is disabled');
  if (ask.deviceClassName === '') throw defect(place, request, 'missing device class name (unsupported request type?)');
  const found = deviceClass(ask.deviceClassName);
  if (found === undefined) {
    const { message } = notFound({ group: 'resource.k8s.io', resource: 'deviceclass' }, ask.deviceClassName);
    throw defect(place, request, `could not retrieve device class ${ask.deviceClassName}: ${message}`);
  }
  const mode: string = ask.allocationMode ?? '';
  if (mode !== 'ExactCount' && mode !== 'All') throw defect(place, request, `unsupported count mode ${mode}`);
  return found;
}

const NO_SELECTORS: readonly DeviceSelector[] = [];

/** A request with the field of Kubernetes 1.37 (KEP 6080). */
interface LaterAsk extends ExactDeviceRequest {
  readonly derivedAttributes?: readonly { readonly name: string; readonly expression: string }[] | undefined;
}

const NONE_DERIVED: ReadonlyMap<string, string> = new Map();

function derivedOf(ask: LaterAsk): ReadonlyMap<string, string> {
  return ask.derivedAttributes === undefined ? NONE_DERIVED : new Map(ask.derivedAttributes.map(({ name, expression }) => [name, expression]));
}

/** What "all" stands for: every matching device that could serve the request if nobody else used it. */
function allDevices(ask: DeviceAsk, place: Place): readonly Candidate[] {
  const { pools, eligibility } = place.context;
  const all: Candidate[] = [];
  for (const pool of pools) {
    if (pool.state !== 'complete') {
      const why = `asks for all devices, but resource pool ${pool.id} is currently ${pool.state === 'incomplete' ? 'being updated' : 'invalid'}`;
      throw new NodeError('poolUnavailable', `claim ${place.claimKey}, request ${ask.shortName}: ${why}`);
    }
    for (const entry of pool.devices) {
      if (eligibility.refusal(ask, entry) !== undefined) continue;
      if (canServe(ask, entry, place)) all.push({ pool, entry });
    }
  }
  return all;
}

function canServe(ask: DeviceAsk, entry: DeviceEntry, place: Place): boolean {
  try {
    return place.context.capacity.offerRefusal(ask, entry) === undefined;
  } catch (error) {
    if (!(error instanceof CapacityError)) throw error;
    throw defect(place, `request ${ask.shortName}`, `checking capacity for device ${entry.device.name}: ${error.message}`);
  }
}
