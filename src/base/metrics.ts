/** Numbers that a process publishes about itself, in the text format of Prometheus. */
import { assert } from './assert.ts';

/** The values of a metric's labels, one for each name it was declared with. */
export type LabelValues<L extends string> = Readonly<Record<L, string>>;

/** What a metric is called, what it counts, and what its series are told apart by. */
export interface MetricSpec<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[] | undefined;
}

/** A number that only grows. */
export interface Counter<L extends string> {
  /** Adds `by` (default 1, never negative) to the series of `labels`. */
  inc(labels: LabelValues<L>, by?: number): void;
}

/** A number that goes up and down. */
export interface Gauge<L extends string> {
  /** The series of `labels` is `value` from now on. */
  set(labels: LabelValues<L>, value: number): void;
  /** Changes the series of `labels`, which starts at 0, by `by`. */
  add(labels: LabelValues<L>, by: number): void;
}

/** A distribution of amounts, usually seconds. */
export interface Histogram<L extends string> {
  /** Counts one amount in the series of `labels`. */
  observe(labels: LabelValues<L>, amount: number): void;
}

/** One line of a gauge that is computed when asked for. */
export interface Reading<L extends string> {
  readonly labels: LabelValues<L>;
  readonly value: number;
}

/** Series of one metric, beyond which new label values are dropped: a registry must not grow with its users' names. */
const SERIES_MAX = 2_000;

/** Upper bounds in seconds (Prometheus client: DefBuckets). */
export const DEFAULT_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** `count` bounds from `first`, each `factor` times the one before (Prometheus client: ExponentialBuckets). */
export function exponentialBuckets(first: number, factor: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => first * factor ** i);
}

type MetricType = 'counter' | 'gauge' | 'histogram';

interface Family {
  readonly spec: MetricSpec<string>;
  readonly type: MetricType;
  readonly lines: () => readonly string[];
}

/** All metrics of a process; components are handed one and declare theirs in it. */
export class Metrics {
  readonly #families = new Map<string, Family>();
  readonly #numbers = new Map<string, Series<number>>();
  readonly #distributions = new Map<string, Series<Distribution>>();

  /** Declares a counter. Two components of one process may declare the same one. */
  counter<L extends string = never>(spec: MetricSpec<L>): Counter<L> {
    const series = this.#numbersOf(spec, 'counter');
    return {
      inc: (labels, by = 1) => {
        assert(by >= 0, `the counter ${spec.name} cannot go down`);
        series.change(labels, (value = 0) => value + by);
      },
    };
  }

  /** Declares a gauge. */
  gauge<L extends string = never>(spec: MetricSpec<L>): Gauge<L> {
    const series = this.#numbersOf(spec, 'gauge');
    return { set: (labels, value) => series.change(labels, () => value), add: (labels, by) => series.change(labels, (value = 0) => value + by) };
  }

  /** Declares a gauge whose series are read when they are asked for; of two readers the later one counts. */
  gaugeFrom<L extends string = never>(spec: MetricSpec<L>, read: () => Iterable<Reading<L>>): void {
    this.#declare(spec, 'gauge', () => {
      const series = new Series<number>(spec.labels ?? []);
      for (const { labels, value } of read()) series.change(labels, () => value);
      return series.lines((labels, value) => [line(spec.name, labels, value)]);
    });
  }

  /** Declares a histogram with rising upper bounds. */
  histogram<L extends string = never>(spec: MetricSpec<L>, buckets: readonly number[] = DEFAULT_BUCKETS): Histogram<L> {
    let series = this.#distributions.get(spec.name);
    if (series === undefined) {
      const made = new Series<Distribution>(spec.labels ?? []);
      this.#distributions.set(spec.name, made);
      this.#declare(spec, 'histogram', () => made.lines((labels, value) => histogramLines(spec.name, labels, { buckets, ...value })));
      series = made;
    }
    const found = series;
    return {
      observe: (labels, amount) =>
        found.change(labels, (before = { counts: buckets.map(() => 0), count: 0, sum: 0 }) => ({
          counts: before.counts.map((count, i) => count + (amount <= (buckets[i] ?? Infinity) ? 1 : 0)),
          count: before.count + 1,
          sum: before.sum + amount,
        })),
    };
  }

  /** Everything as text (Prometheus exposition format 0.0.4), families and series sorted by name. */
  exposition(): string {
    const families = [...this.#families.values()].sort((a, b) => (a.spec.name < b.spec.name ? -1 : 1));
    return families
      .map(({ spec: { name, help }, type, lines }) => {
        const found = lines();
        return found.length === 0 ? '' : `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${found.join('\n')}\n`;
      })
      .join('');
  }

  #numbersOf(spec: MetricSpec<string>, type: MetricType): Series<number> {
    const known = this.#numbers.get(spec.name);
    const series = known ?? new Series<number>(spec.labels ?? []);
    this.#numbers.set(spec.name, series);
    this.#declare(spec, type, () => series.lines((labels, value) => [line(spec.name, labels, value)]));
    return series;
  }

  #declare(spec: MetricSpec<string>, type: MetricType, lines: () => readonly string[]): void {
    const known = this.#families.get(spec.name);
    const same = known === undefined || (known.type === type && String(known.spec.labels) === String(spec.labels));
    assert(same, `the metric ${spec.name} is declared in two ways`);
    this.#families.set(spec.name, { spec, type, lines });
  }
}

interface Distribution {
  /** Amounts up to each bound, cumulative. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

/** The values of one metric by the text of their labels. */
class Series<V> {
  readonly #names: readonly string[];
  readonly #values = new Map<string, V>();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  change(labels: Readonly<Record<string, string>>, next: (value: V | undefined) => V): void {
    let key = '';
    for (const name of this.#names) key += `${key === '' ? '' : ','}${name}="${escapeLabel(labels[name] ?? '')}"`;
    if (!this.#values.has(key) && this.#values.size >= SERIES_MAX) return;
    this.#values.set(key, next(this.#values.get(key)));
  }

  lines(print: (labels: string, value: V) => readonly string[]): readonly string[] {
    return [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([labels, value]) => print(labels, value));
  }
}

function histogramLines(name: string, labels: string, { buckets, counts, count, sum }: Distribution & { readonly buckets: readonly number[] }): string[] {
  const bounded = (bound: string): string => (labels === '' ? `le="${bound}"` : `${labels},le="${bound}"`);
  return [
    ...buckets.map((bound, i) => line(`${name}_bucket`, bounded(String(bound)), counts[i] ?? 0)),
    line(`${name}_bucket`, bounded('+Inf'), count),
    line(`${name}_sum`, labels, sum),
    line(`${name}_count`, labels, count),
  ];
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN'}`;
}

function escapeLabel(text: string): string {
  if (!/[\\"\n]/.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
