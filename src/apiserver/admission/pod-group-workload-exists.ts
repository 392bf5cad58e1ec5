/** PodGroupWorkloadExists: a group that names a template belongs to a workload that has it (upstream: plugin/pkg/admission/scheduling/podgroup). */
import type { PodGroup, Workload } from '#api';
import { goQuote } from '#machinery';
import { type AdmissionPlugin, isAbout, refused } from './plugin.ts';

const GROUP = 'scheduling.k8s.io';

/** The plugin. */
export const POD_GROUP_WORKLOAD_EXISTS: AdmissionPlugin = {
  name: 'PodGroupWorkloadExists',
  validate: async (core, request) => {
    if (request.operation !== 'create' || !isAbout(request, GROUP, 'podgroups') || core.options.gates.get('GenericWorkload') !== true) return;
    // Narrowed by resource.
    const { workload: reference } = (request.object as PodGroup).spec.podGroupTemplateRef ?? {};
    const scope = core.catalog.findAnyVersion(GROUP, 'workloads');
    if (reference === undefined || scope === undefined) return;
    const { workloadName, podGroupTemplateName } = reference;
    const called = `Workload ${goQuote(workloadName)}`;
    // Objects stored under workloads are such.
    const workload = (await core.objects.get(scope, request.namespace, workloadName))?.object as Workload | undefined;
    if (workload === undefined) throw refused(request, `PodGroup rejected: ${called} not found`);
    if (workload.metadata.deletionTimestamp !== undefined) throw refused(request, `PodGroup rejected: ${called} is being deleted`);
    if (workload.spec.podGroupTemplates.some(({ name }) => name === podGroupTemplateName)) return;
    throw refused(request, `PodGroup rejected: PodGroupTemplate ${goQuote(podGroupTemplateName)} not found in ${called}`);
  },
};
