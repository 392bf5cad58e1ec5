/** PodGroupProtection: a group outlives the pods that belong to it (upstream: plugin/pkg/admission/scheduling/podgroupprotection). */
import { withMetadata } from '../registry/object-store.ts';
import { type AdmissionPlugin, isAbout } from './plugin.ts';

/** Upstream: PodGroupProtectionFinalizer. */
const FINALIZER = 'scheduling.k8s.io/podgroup-protection';

/** The plugin. */
export const POD_GROUP_PROTECTION: AdmissionPlugin = {
  name: 'PodGroupProtection',
  admit: (core, request) => {
    const { object } = request;
    const { finalizers = [] } = object.metadata;
    const applies = isAbout(request, 'scheduling.k8s.io', 'podgroups') && request.old === undefined && core.options.gates.get('GenericWorkload') === true;
    return !applies || finalizers.includes(FINALIZER) ? object : withMetadata(object, { finalizers: [...finalizers, FINALIZER] });
  },
};
