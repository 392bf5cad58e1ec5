/** Answers the oracle's requests about quantities, versions and selectors with dray's own machinery. */
import {
  fieldSelectorText,
  goFloat,
  type LabelSelector,
  labelSelectorRequirements,
  labelSelectorText,
  matchesFieldRequirements,
  matchesLabelSelector,
  matchesNodeSelector,
  matchesNodeSelectorLazily,
  type NodeTerms,
  parseFieldSelector,
  parseLabelRequirements,
  parseLabelSelector,
  Quantity,
  Semver,
} from '#machinery';

type Texts = Readonly<Record<string, string>>;

/** The inputs of all these operations; those that an operation does not use are ignored. */
export interface MachineryRequest {
  readonly text?: string;
  readonly other?: string;
  readonly times?: number | bigint;
  readonly json?: string;
  readonly nodeSelector?: NodeTerms;
  readonly node?: { readonly metadata?: { readonly name?: string; readonly labels?: Texts } };
  readonly selector?: string;
  readonly object?: LabelSelector | null;
  readonly labels?: Texts;
  readonly fields?: Texts;
}

/** The operations by name. */
export const MACHINERY_OPERATIONS: Readonly<Record<string, (request: MachineryRequest) => object>> = {
  quantity: ({ text = '', other, times }) => attempt(() => quantityFacts(Quantity.parse(text), other, times)),
  quantityJSON: ({ json = '' }) => attempt(() => ({ json: Quantity.fromJsonText(json).toString() })),
  semver: versionFacts,
  nodeSelector: ({ nodeSelector = {}, node = {} }) => {
    const subject = { name: node.metadata?.name ?? '', labels: node.metadata?.labels };
    const lazy = attempt(() => ({ match: matchesNodeSelectorLazily(nodeSelector, subject) }));
    return { ...attempt(() => ({ match: matchesNodeSelector(nodeSelector, subject) })), lazy };
  },
  labelSelector: ({ selector = '', labels }) =>
    attempt(() => selected(labelSelectorText(parseLabelRequirements(selector)), parseLabelSelector(selector)(labels))),
  labelSelectorObject: ({ object, labels }) =>
    attempt(() => selected(labelSelectorText(labelSelectorRequirements(object ?? {})), matchesLabelSelector(object ?? undefined, labels))),
  fieldSelector: ({ selector = '', fields = {} }) =>
    attempt(() => {
      const requirements = parseFieldSelector(selector);
      return selected(
        fieldSelectorText(requirements),
        matchesFieldRequirements(requirements, (field) => fields[field] ?? ''),
      );
    }),
};

/** A refusal is an answer. */
function attempt(answer: () => object): object {
  try {
    return answer();
  } catch (thrown) {
    if (thrown instanceof Error) return { error: thrown.message };
    throw thrown;
  }
}

function selected(canonical: string, match: boolean): object {
  return canonical === '' ? { empty: true, match } : { canonical, match };
}

function quantityFacts(amount: Quantity, other: string | undefined, times: number | bigint | undefined): object {
  const whole = amount.asInt64();
  return {
    canonical: amount.toString(),
    format: amount.format,
    sign: amount.sign(),
    ...(whole === undefined ? {} : { asInt64: whole.toString() }),
    value: amount.value().toString(),
    milliValue: amount.milliValue().toString(),
    approxFloat: goFloat(amount.approximate()),
    recomputed: amount.add(Quantity.of(0)).toString(),
    neg: amount.neg().toString(),
    ...(other === undefined ? {} : related(amount, Quantity.parse(other))),
    ...(times === undefined ? {} : { mul: amount.mul(times).toString() }),
  };
}

function related(amount: Quantity, other: Quantity): object {
  return { cmp: amount.compare(other), add: amount.add(other).toString(), sub: amount.sub(other).toString() };
}

function versionFacts({ text = '', other }: MachineryRequest): object {
  const strict = reading(() => Semver.read(text));
  const normalized = reading(() => Semver.readTolerant(text));
  const otherStrict = other === undefined ? undefined : Semver.parse(other);
  const otherNormalized = other === undefined ? undefined : Semver.parseTolerant(other);
  return {
    strict: strict.facts,
    normalized: normalized.facts,
    ...(strict.version === undefined || otherStrict === undefined ? {} : { cmp: strict.version.compare(otherStrict) }),
    ...(normalized.version === undefined || otherNormalized === undefined ? {} : { cmpNormalized: normalized.version.compare(otherNormalized) }),
  };
}

function reading(read: () => Semver): { readonly version?: Semver; readonly facts: object } {
  try {
    const version = read();
    const { major, minor, patch, prerelease, build } = version;
    const pre = prerelease.length === 0 ? {} : { pre: prerelease.map(String) };
    const metadata = build.length === 0 ? {} : { build };
    return { version, facts: { text: version.toString(), numbers: [major, minor, patch].map(String), ...pre, ...metadata } };
  } catch (thrown) {
    if (thrown instanceof Error) return { facts: { error: thrown.message } };
    throw thrown;
  }
}
