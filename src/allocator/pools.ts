/** The pools of all ResourceSlices, kept slice by slice, and what they offer to a node. */
import type { ResourceSlice } from '#api';
import { OfferCache } from './offers.ts';
import { type PoolId, type SliceEntry, sliceEntry } from './device.ts';
import type { Features } from './features.ts';
import type { NodeView } from './node-match.ts';
import { isRelevant, type NodePool, poolView } from './pool-view.ts';
import { SelectorCache } from './selectors.ts';

/** One pool with the views made since it last changed. */
interface Pool {
  readonly slices: Map<string, SliceEntry>;
  /** Rises with every change. */
  stamp: number;
  /** By the features and, as text, by which slices concern the node: nodes that see the same slices share one view. */
  views: WeakMap<Features, Map<string, NodePool | undefined>>;
}

/** The pools that have slices for one node, or for any node; the numbers count those. */
interface Reach {
  readonly pools: Map<PoolId, number>;
  /** Rises with every change of the set of pools. */
  stamp: number;
}

/** What a node was offered, and what that was made from. */
interface Offer {
  readonly labels: NodeView['labels'];
  readonly features: Features;
  /** The state of the index at the last time when this was found to be fresh. */
  checkedAt: number;
  readonly stamps: readonly [own: number, shared: number];
  readonly sources: readonly { readonly pool: Pool; readonly stamp: number }[];
  readonly views: readonly NodePool[];
}

/** Nodes whose offers are kept; the largest clusters have fewer. */
const OFFERS_MAX = 20_000;

/**
 * All published devices, grouped by pool. Owned by its caller, who reports every change of a slice; a slice is parsed once, and what
 * a pool offers to a node is computed once per change of either.
 */
export class PoolIndex {
  /** Compiled selectors, shared by all searches over these pools. */
  readonly selectors = new SelectorCache();
  /** What devices offer to requests for amounts, shared likewise. */
  readonly offers = new OfferCache();
  readonly #slices = new Map<string, SliceEntry>();
  readonly #pools = new Map<PoolId, Pool>();
  readonly #onNode = new Map<string, Reach>();
  readonly #shared: Reach = { pools: new Map(), stamp: 0 };
  /** What nodes were offered last, by their names. */
  readonly #offered = new Map<string, Offer>();
  #stamp = 0;

  /** A slice has appeared or changed. The object must not be modified afterwards. */
  upsertSlice(slice: ResourceSlice): void {
    const entry = sliceEntry(slice);
    this.deleteSlice(entry.name);
    this.#slices.set(entry.name, entry);
    let pool = this.#pools.get(entry.pool);
    if (pool === undefined) {
      pool = { slices: new Map(), stamp: 0, views: new WeakMap() };
      this.#pools.set(entry.pool, pool);
    }
    pool.slices.set(entry.name, entry);
    this.#changed(pool);
    this.#count(entry, 1);
  }

  /** A slice is gone; an unknown name is ignored. */
  deleteSlice(name: string): void {
    const entry = this.#slices.get(name);
    if (entry === undefined) return;
    this.#slices.delete(name);
    const pool = this.#pools.get(entry.pool);
    if (pool !== undefined) {
      pool.slices.delete(name);
      this.#changed(pool);
      if (pool.slices.size === 0) this.#pools.delete(entry.pool);
    }
    this.#count(entry, -1);
  }

  /** The pools for a node in order of trial: those with binding conditions last, then by driver and pool name. Throws AllocationError. */
  forNode(node: NodeView, features: Features): readonly NodePool[] {
    const known = this.#offered.get(node.name);
    if (known !== undefined && known.labels === node.labels && known.features === features && this.#isFresh(known, node.name)) return known.views;
    const own = this.#onNode.get(node.name);
    const sources: { readonly pool: Pool; readonly stamp: number }[] = [];
    const views: NodePool[] = [];
    for (const id of new Set([...(own?.pools.keys() ?? []), ...this.#shared.pools.keys()])) {
      const pool = this.#pools.get(id);
      if (pool === undefined) continue;
      sources.push({ pool, stamp: pool.stamp });
      const view = viewOf(pool, node, features);
      if (view !== undefined) views.push(view);
    }
    views.sort(byTrial);
    if (this.#offered.size >= OFFERS_MAX) this.#offered.clear();
    const stamps = [own?.stamp ?? 0, this.#shared.stamp] as const;
    this.#offered.set(node.name, { labels: node.labels, features, checkedAt: this.#stamp, stamps, sources, views });
    return views;
  }

  #isFresh(offer: Offer, nodeName: string): boolean {
    if (offer.checkedAt === this.#stamp) return true;
    const { stamps, sources } = offer;
    if (stamps[0] !== (this.#onNode.get(nodeName)?.stamp ?? 0) || stamps[1] !== this.#shared.stamp) return false;
    for (const { pool, stamp } of sources) if (pool.stamp !== stamp) return false;
    offer.checkedAt = this.#stamp;
    return true;
  }

  #changed(pool: Pool): void {
    pool.stamp = ++this.#stamp;
    pool.views = new WeakMap();
  }

  #count(entry: SliceEntry, change: 1 | -1): void {
    const nodeName = entry.spec.nodeName ?? '';
    let reach = nodeName === '' ? this.#shared : this.#onNode.get(nodeName);
    if (reach === undefined) {
      reach = { pools: new Map(), stamp: 0 };
      this.#onNode.set(nodeName, reach);
    }
    const count = (reach.pools.get(entry.pool) ?? 0) + change;
    if (count === 0) reach.pools.delete(entry.pool);
    else reach.pools.set(entry.pool, count);
    reach.stamp = ++this.#stamp;
    if (reach.pools.size === 0 && reach !== this.#shared) this.#onNode.delete(nodeName);
  }
}

function viewOf(pool: Pool, node: NodeView, features: Features): NodePool | undefined {
  const slices = [...pool.slices.values()];
  const relevant = slices.map((slice) => isRelevant(slice, node, features));
  let views = pool.views.get(features);
  if (views === undefined) {
    views = new Map();
    pool.views.set(features, views);
  }
  const key = relevant.map((concerns) => (concerns ? '1' : '0')).join('');
  if (!views.has(key)) {
    views.set(
      key,
      poolView(
        slices,
        slices.filter((_, i) => relevant[i]),
        features,
      ),
    );
  }
  return views.get(key);
}

function byTrial(a: NodePool, b: NodePool): number {
  if (a.binding !== b.binding) return a.binding ? 1 : -1;
  if (a.driver !== b.driver) return a.driver < b.driver ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
