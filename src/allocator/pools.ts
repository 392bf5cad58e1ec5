/** The pools of all ResourceSlices, kept slice by slice, and what they offer to a node. */
import type { ResourceSlice } from '#api';
import { type PoolId, type SliceEntry, sliceEntry } from './device.ts';
import type { Features } from './features.ts';
import type { NodeView } from './node-match.ts';
import { type NodePool, poolView } from './pool-view.ts';
import { SelectorCache } from './selectors.ts';

/** A view and for whom it was made. */
interface CachedView {
  readonly node: string;
  readonly features: Features;
  readonly view: NodePool | undefined;
}

/** One pool with the views computed since it last changed. Views hang on the labels object of the node, so they go with it. */
interface Pool {
  readonly slices: Map<string, SliceEntry>;
  views: WeakMap<object, CachedView>;
}

/**
 * All published devices, grouped by pool. Owned by its caller, who reports every change of a slice; a slice is parsed once, and what
 * a pool offers to a node is computed once per change of either.
 */
export class PoolIndex {
  /** Compiled selectors, shared by all searches over these pools. */
  readonly selectors = new SelectorCache();
  readonly #slices = new Map<string, SliceEntry>();
  readonly #pools = new Map<PoolId, Pool>();
  /** Pools with slices for one node, by node name; the number counts slices. */
  readonly #onNode = new Map<string, Map<PoolId, number>>();
  /** Pools with slices that may concern any node. */
  readonly #shared = new Map<PoolId, number>();

  /** A slice has appeared or changed. The object must not be modified afterwards. */
  upsertSlice(slice: ResourceSlice): void {
    const entry = sliceEntry(slice);
    this.deleteSlice(entry.name);
    this.#slices.set(entry.name, entry);
    let pool = this.#pools.get(entry.pool);
    if (pool === undefined) {
      pool = { slices: new Map(), views: new WeakMap() };
      this.#pools.set(entry.pool, pool);
    }
    pool.slices.set(entry.name, entry);
    pool.views = new WeakMap();
    count(this.#reachOf(entry), entry.pool, 1);
  }

  /** A slice is gone; an unknown name is ignored. */
  deleteSlice(name: string): void {
    const entry = this.#slices.get(name);
    if (entry === undefined) return;
    this.#slices.delete(name);
    const pool = this.#pools.get(entry.pool);
    pool?.slices.delete(name);
    if (pool?.slices.size === 0) this.#pools.delete(entry.pool);
    else if (pool !== undefined) pool.views = new WeakMap();
    const reach = this.#reachOf(entry);
    count(reach, entry.pool, -1);
    if (reach.size === 0 && reach !== this.#shared) this.#onNode.delete(entry.spec.nodeName ?? '');
  }

  /** The pools for a node in order of trial: those with binding conditions last, then by driver and pool name. Throws AllocationError. */
  forNode(node: NodeView, features: Features): readonly NodePool[] {
    const ids = new Set([...(this.#onNode.get(node.name)?.keys() ?? []), ...this.#shared.keys()]);
    const views: NodePool[] = [];
    for (const id of ids) {
      const view = this.#viewOf(id, node, features);
      if (view !== undefined) views.push(view);
    }
    return views.sort(byTrial);
  }

  #viewOf(id: PoolId, node: NodeView, features: Features): NodePool | undefined {
    const pool = this.#pools.get(id);
    if (pool === undefined) return undefined;
    const cached = pool.views.get(node.labels);
    if (cached !== undefined && cached.node === node.name && cached.features === features) return cached.view;
    const view = poolView(pool.slices.values(), node, features);
    pool.views.set(node.labels, { node: node.name, features, view });
    return view;
  }

  #reachOf({ spec }: SliceEntry): Map<PoolId, number> {
    const nodeName = spec.nodeName ?? '';
    if (nodeName === '') return this.#shared;
    let pools = this.#onNode.get(nodeName);
    if (pools === undefined) {
      pools = new Map();
      this.#onNode.set(nodeName, pools);
    }
    return pools;
  }
}

function count(counts: Map<PoolId, number>, id: PoolId, change: 1 | -1): void {
  const next = (counts.get(id) ?? 0) + change;
  if (next === 0) counts.delete(id);
  else counts.set(id, next);
}

function byTrial(a: NodePool, b: NodePool): number {
  if (a.binding !== b.binding) return a.binding ? 1 : -1;
  if (a.driver !== b.driver) return a.driver < b.driver ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
