/** The search against one that knows nothing but the order of trial: leaving out hopeless branches never changes the answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nameOf, parseJson, stringifyJson } from '#machinery';
import { type OracleCase, featuresOf, holdersOf } from '../../test/conformance/allocator-oracle.ts';
import { randomCase } from '../../test/property/allocator-generator.ts';
import { Entropy } from '../../test/property/entropy.ts';
import { Attempt } from './attempt.ts';
import { CapacityCheck } from './capacity.ts';
import { CounterAccount } from './counters.ts';
import { DerivedAttributes } from './derived.ts';
import { Effort } from './effort.ts';
import { Eligibility } from './eligibility.ts';
import { Ledger } from './ledger.ts';
import { PoolIndex } from './pools.ts';
import { AllocationError, NodeError } from './refusal.ts';
import type { Candidate, DeviceAsk } from './device-ask.ts';
import { ALLOCATION_RESULTS_MAX_SIZE, planClaims } from './requests.ts';
import { Search, type SearchContext } from './search.ts';

/** Beyond this a case says nothing: trying everything takes too long. */
const TRIALS_MAX = 20_000;

class TooLong extends Error {}

/** Depth first, first fit, nothing left out. Each device of a request stands after the one before. */
class PlainSearch {
  readonly #context: SearchContext;
  readonly #candidates: readonly Candidate[];
  #trials = 0;

  constructor(context: SearchContext) {
    this.#context = context;
    this.#candidates = context.pools.flatMap((pool) => pool.devices.map((entry) => ({ pool, entry })));
  }

  request(claim: number, index: number): boolean {
    const plan = this.#context.claims[claim];
    if (plan === undefined) return true;
    const request = plan.requests[index];
    if (request === undefined) return this.request(claim + 1, 0);
    return request.asks.some((ask) => this.#devices(ask, { left: ask.count, from: 0 }, () => this.request(claim, index + 1)));
  }

  #devices(ask: DeviceAsk, { left, from }: { left: number; from: number }, then: () => boolean): boolean {
    if (ask.all?.length === 0) return false;
    if (left <= 0) return then();
    const { attempt } = this.#context;
    if (attempt.countOf(ask.claim) + left > ALLOCATION_RESULTS_MAX_SIZE) return false;
    const candidates = ask.all ?? this.#candidates;
    for (let at = from; at < candidates.length; at++) {
      if (++this.#trials > TRIALS_MAX) throw new TooLong();
      if (this.#try(ask, candidates[at])) {
        if (this.#devices(ask, { left: left - 1, from: at + 1 }, then)) return true;
        attempt.unpick();
      }
      // All devices are wanted: none can be passed over.
      if (ask.all !== undefined) return false;
    }
    return false;
  }

  #try(ask: DeviceAsk, candidate: Candidate | undefined): boolean {
    const { attempt, ledger } = this.#context;
    if (candidate === undefined) return false;
    const refusal = attempt.pick(ask, candidate, ledger.useOf(candidate.entry));
    if (refusal?.kind === 'constraint' && ask.all !== undefined) throw new AllocationError('violated');
    return refusal === undefined;
  }
}

/** What the search works on for the first node of a case; throws AllocationError or NodeError as planning does. */
function contextOf(question: OracleCase): SearchContext {
  const features = featuresOf(question.features ?? {});
  const index = new PoolIndex();
  for (const slice of question.slices ?? []) index.upsertSlice(slice);
  const ledger = new Ledger();
  for (const claim of holdersOf(question.allocated ?? {})) ledger.upsertClaim(claim);
  const [first] = question.nodes ?? [];
  const node = { name: first === undefined ? '' : nameOf(first), labels: first?.metadata.labels ?? {} };
  const pools = index.forNode(node, features);
  const eligibility = new Eligibility(node, features);
  const capacity = new CapacityCheck(features, ledger);
  const classes = new Map((question.classes ?? []).map((each) => [nameOf(each), each]));
  const { selectors, offers } = index;
  const derived = new DerivedAttributes(features);
  const deviceClass = (name: string): ReturnType<typeof classes.get> => classes.get(name);
  const claims = planClaims(question.claims ?? [], { features, selectors, offers, derived, pools, eligibility, capacity, deviceClass });
  const attempt = new Attempt({ features, ledger, claims, eligibility, counters: new CounterAccount(features, ledger), capacity });
  return { claims, pools, ledger, eligibility, capacity, attempt };
}

type Answer = 'error' | 'none' | readonly (readonly [string, string])[];

/** The picks, as request and device, of a way to search. */
function answerOf(question: OracleCase, search: (context: SearchContext) => boolean): Answer {
  try {
    const context = contextOf(question);
    if (!search(context)) return 'none';
    return context.claims.flatMap((_, claim) => context.attempt.picksOf(claim).map(({ ask, entry }) => [ask.name, entry.id] as const));
  } catch (error) {
    if (error instanceof AllocationError || error instanceof NodeError) return 'error';
    throw error;
  }
}

/** A frozen copy: whoever changes an input fails. */
function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}

/** All requests for all devices that meet a constraint may end in an error, at once or after all: told apart elsewhere. */
function mayAbort({ claims = [] }: OracleCase): boolean {
  return /"All"/.test(JSON.stringify(claims)) && claims.some(({ spec }) => (spec.devices?.constraints?.length ?? 0) > 0);
}

test('the search finds what trying everything finds, device by device', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 200, maxLength: 500, size: 'max' }), (bytes) => {
      const question = frozen(parseJson(stringifyJson(randomCase(new Entropy(bytes), { quirks: true })))) as OracleCase;
      if (mayAbort(question)) return;
      let plain: Answer;
      try {
        plain = answerOf(question, (context) => new PlainSearch(context).request(0, 0));
      } catch (error) {
        if (error instanceof TooLong) return;
        throw error;
      }
      const kind = typeof plain === 'string' ? plain : 'found';
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      assert.deepEqual(
        answerOf(question, (context) => new Search(context, new Effort()).run()),
        plain,
      );
    }),
    { numRuns: 1500 },
  );
  for (const kind of ['found', 'none', 'error']) assert.ok((seen.get(kind) ?? 0) > 50, `${kind}: ${seen.get(kind) ?? 0}`);
});

test('a ledger and an index that followed events answer as ones made of what is left', () => {
  const event = fc.record({ what: fc.constantFrom('claim', 'slice'), at: fc.nat(30), gone: fc.boolean() });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 300, maxLength: 500, size: 'max' }), fc.array(event, { maxLength: 40 }), (bytes, events) => {
      const question = frozen(parseJson(stringifyJson(randomCase(new Entropy(bytes), { quirks: true })))) as OracleCase;
      const slices = question.slices ?? [];
      const holders = holdersOf({ ...question.allocated, devices: [...(question.allocated?.devices ?? []), ...everyDevice(question)] });
      const kept = { index: new PoolIndex(), ledger: new Ledger() };
      const live = { slices: new Set(slices), claims: new Set(holders) };
      for (const slice of slices) kept.index.upsertSlice(slice);
      for (const claim of holders) kept.ledger.upsertClaim(claim);
      const features = featuresOf(question.features ?? {});
      const node = { name: 'node-1', labels: { zone: 'a' } };
      for (const { what, at, gone } of events) {
        const slice = slices[at % Math.max(1, slices.length)];
        const claim = holders[at % Math.max(1, holders.length)];
        if (what === 'slice' && slice !== undefined) {
          if (gone) kept.index.deleteSlice(nameOf(slice));
          else kept.index.upsertSlice(slice);
          live.slices[gone ? 'delete' : 'add'](slice);
        } else if (claim !== undefined) {
          if (gone) kept.ledger.deleteClaim(`held/${nameOf(claim)}`);
          else kept.ledger.upsertClaim(claim);
          live.claims[gone ? 'delete' : 'add'](claim);
        }
        assert.deepEqual(picture(kept, node, features), picture(rebuilt(live), node, features));
      }
    }),
    { numRuns: 300 },
  );
});

function everyDevice({ slices = [] }: OracleCase): readonly string[] {
  return slices.flatMap(({ spec }) => (spec.devices ?? []).map(({ name }) => `${spec.driver}/${spec.pool.name}/${name}`));
}

interface State {
  readonly index: PoolIndex;
  readonly ledger: Ledger;
}

function rebuilt({
  slices,
  claims,
}: {
  slices: Iterable<Parameters<PoolIndex['upsertSlice']>[0]>;
  claims: Iterable<Parameters<Ledger['upsertClaim']>[0]>;
}): State {
  const state = { index: new PoolIndex(), ledger: new Ledger() };
  for (const slice of slices) state.index.upsertSlice(slice);
  for (const claim of claims) state.ledger.upsertClaim(claim);
  return state;
}

/** Everything that a search can see. */
function picture({ index, ledger }: State, node: Parameters<PoolIndex['forNode']>[0], features: Parameters<PoolIndex['forNode']>[1]): unknown {
  let pools: ReturnType<PoolIndex['forNode']>;
  try {
    pools = index.forNode(node, features);
  } catch (error) {
    if (error instanceof AllocationError) return error.message;
    throw error;
  }
  return pools.map((pool) => {
    const paired = ledger.usesOf(pool);
    const uses = pool.devices.map((entry, at) => {
      const use = paired[at];
      assert.equal(use?.whole ?? 0, ledger.useOf(entry)?.whole ?? 0);
      return [
        entry.id,
        use?.whole ?? 0,
        use?.shares ?? 0,
        [...(use?.amounts ?? [])].filter(([, amount]) => !amount.isZero()).map(([name, amount]) => [name, amount.toString()]),
      ];
    });
    if (ledger.areAllHeld(pool)) assert.ok(paired.every((use) => (use?.whole ?? 0) > 0));
    const counters = [...pool.counterSets.keys()];
    return { id: pool.id, state: pool.state, reason: pool.reason, uses, counters, elsewhere: pool.elsewhere.devices.map(({ id }) => id).sort() };
  });
}
