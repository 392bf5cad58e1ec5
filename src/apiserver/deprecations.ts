/** Warnings for versions of resource.k8s.io that upstream is phasing out (its +k8s:prerelease-lifecycle-gen tags). */
import type { GroupVersionKind } from '#machinery';

interface Lifecycle {
  readonly deprecated: string;
  readonly removed: string;
}

const BY_VERSION: Readonly<Record<string, Lifecycle>> = {
  v1beta1: { deprecated: '1.35', removed: '1.38' },
  v1beta2: { deprecated: '1.36', removed: '1.39' },
  v1alpha3: { deprecated: '1.36', removed: '1.39' },
};
const BY_KIND: Readonly<Record<string, Lifecycle>> = {
  'v1beta2/DeviceTaintRule': { deprecated: '1.39', removed: '1.42' },
  'v1alpha3/ResourcePoolStatusRequest': { deprecated: '1.39', removed: '1.42' },
};

/** The text of the Warning header that every request on a deprecated version gets. */
export function deprecationWarning({ group, version, kind }: GroupVersionKind): string | undefined {
  const lifecycle = group === 'resource.k8s.io' ? (BY_KIND[`${version}/${kind}`] ?? BY_VERSION[version]) : undefined;
  if (lifecycle === undefined) return undefined;
  return `${group}/${version} ${kind} is deprecated in v${lifecycle.deprecated}+, unavailable in v${lifecycle.removed}+`;
}
