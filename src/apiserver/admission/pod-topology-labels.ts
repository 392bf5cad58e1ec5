/** PodTopologyLabels: pods carry where their node is (upstream: plugin/pkg/admission/podtopologylabels). */
import type { Binding, Pod } from '#api';
import type { ApiObject } from '#machinery';
import type { Core } from '../options.ts';
import { withMetadata } from '../registry/object-store.ts';
import { type AdmissionPlugin, isAbout } from './plugin.ts';

/** Upstream: the labels of its default configuration. */
const LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

/** The plugin: for pods that are made on a node, and for bindings, which hand their labels on to the pod. */
export const POD_TOPOLOGY_LABELS: AdmissionPlugin = {
  name: 'PodTopologyLabels',
  admit: async (core, request) => {
    const { object, scope, subresource, operation } = request;
    const isBinding = subresource === 'binding' && scope.kind.group === '' && scope.kind.plural === 'pods';
    if (operation !== 'create' || core.options.gates.get('PodTopologyLabelsAdmission') !== true) return object;
    // Narrowed by resource and subresource.
    if (isBinding) return located(core, object, (object as Binding).target.name ?? '');
    return isAbout(request, '', 'pods') ? located(core, object, (object as Pod).spec?.nodeName ?? '') : object;
  },
};

async function located(core: Core, object: ApiObject, nodeName: string): Promise<ApiObject> {
  const scope = core.catalog.find('', 'v1', 'nodes');
  const node = scope === undefined || nodeName === '' ? undefined : await core.objects.get(scope, '', nodeName);
  const labels = Object.entries(node?.object.metadata.labels ?? {}).filter(([key]) => LABELS.includes(key));
  return labels.length === 0 ? object : withMetadata(object, { labels: { ...object.metadata.labels, ...Object.fromEntries(labels) } });
}
