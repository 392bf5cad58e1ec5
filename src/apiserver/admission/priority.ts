/** Priority: the number behind a pod's priority class, and at most one class that is everybody's default (upstream: plugin/pkg/admission/priority). */
import { type Pod, type PriorityClass, SYSTEM_PRIORITIES } from '#api';
import type { Core } from '../options.ts';
import { type AdmissionOfObject, type AdmissionPlugin, type AdmissionRequest, isAbout, refused } from './plugin.ts';

const GROUP = 'scheduling.k8s.io';
/** Upstream: DefaultPriorityWhenNoDefaultClassExists. */
const DEFAULT_PRIORITY = 0;

/** The plugin. */
export const PRIORITY: AdmissionPlugin = {
  name: 'Priority',
  admit: async (core, request) => {
    if (!isAbout(request, '', 'pods')) return request.object;
    const pod = request.object as Pod;
    return request.old === undefined ? prioritised(core, request, pod) : keepPriority(pod, request.old as Pod);
  },
  validate: async (core, request) => {
    if (!isAbout(request, GROUP, 'priorityclasses')) return;
    if (request.operation !== 'delete') await checkOnlyDefault(core, request);
    else if (SYSTEM_PRIORITIES.has(request.name)) throw refused(request, 'this is a system priority class and cannot be deleted');
  },
};

/** What this plugin set on creation need not be repeated by an update. */
function keepPriority(pod: Pod, old: Pod): Pod {
  if (pod.spec === undefined) return pod;
  const { priority = old.spec?.priority, preemptionPolicy = old.spec?.preemptionPolicy } = pod.spec;
  return { ...pod, spec: { ...pod.spec, priority, preemptionPolicy } };
}

async function prioritised(core: Core, request: AdmissionOfObject, pod: Pod): Promise<Pod> {
  if (pod.spec === undefined) return pod;
  const { priorityClassName: asked = '', priority, preemptionPolicy } = pod.spec;
  const found = asked === '' ? await defaultClass(core) : await classNamed(core, request, asked);
  const { value = DEFAULT_PRIORITY, preemptionPolicy: policy = 'PreemptLowerPriority' } = found ?? {};
  const computed = 'must not be provided in pod spec; priority admission controller computed';
  if (priority !== undefined && priority !== value)
    throw refused(request, `the integer value of priority (${String(priority)}) ${computed} ${String(value)} from the given PriorityClass name`);
  if (preemptionPolicy !== undefined && preemptionPolicy !== policy)
    throw refused(request, `the string value of PreemptionPolicy (${preemptionPolicy}) ${computed} ${policy} from the given PriorityClass name`);
  const named = found?.metadata.name === undefined ? {} : { priorityClassName: found.metadata.name };
  return { ...pod, spec: { ...pod.spec, ...named, priority: value, preemptionPolicy: policy } };
}

async function classNamed(core: Core, request: AdmissionRequest, name: string): Promise<PriorityClass> {
  const found = (await classes(core)).find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw refused(request, `no PriorityClass with name ${name} was found`);
  return found;
}

/** The class of pods that name none; of several (two writes may race) the one with the lowest value. */
async function defaultClass(core: Core): Promise<PriorityClass | undefined> {
  const candidates = (await classes(core)).filter(({ globalDefault }) => globalDefault === true);
  return candidates.sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
}

async function classes(core: Core): Promise<readonly PriorityClass[]> {
  const scope = core.catalog.find(GROUP, 'v1', 'priorityclasses');
  // What is stored under this scope is of its kind.
  return scope === undefined ? [] : (await core.objects.list(scope)).map(({ object }) => object as PriorityClass);
}

async function checkOnlyDefault(core: Core, request: AdmissionRequest): Promise<void> {
  const { object, operation } = request;
  if ((object as PriorityClass | undefined)?.globalDefault !== true) return;
  const current = await defaultClass(core);
  if (current === undefined || (operation === 'update' && current.metadata.name === request.name)) return;
  throw refused(request, `PriorityClass ${current.metadata.name ?? ''} is already marked as default. Only one default can exist`);
}
