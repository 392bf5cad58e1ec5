/** LimitRanger: usual amounts for containers that name none, and bounds for those that do (upstream: plugin/pkg/admission/limitranger). */
import { type Container, type LimitRange, type LimitRangeItem, type Pod, podAmounts, type PodSpec } from '#api';
import { parseQuantity } from '#machinery';
import type { Core } from '../options.ts';
import { type AdmissionPlugin, type AdmissionRequest, isAbout, refused } from './plugin.ts';

/** Says what the plugin set (upstream: limitRangerAnnotation). */
const ANNOTATION = 'kubernetes.io/limit-ranger';

/** The plugin; only new pods are looked at, since the amounts of running ones do not change here. */
export const LIMIT_RANGER: AdmissionPlugin = {
  name: 'LimitRanger',
  admit: async (core, request) => {
    if (request.operation !== 'create' || !isAbout(request, '', 'pods')) return request.object;
    // Narrowed by resource.
    return (await rangesOf(core, request)).reduce(withDefaults, request.object as Pod);
  },
  validate: async (core, request) => {
    if (request.operation !== 'create' || !isAbout(request, '', 'pods')) return;
    for (const range of await rangesOf(core, request)) checkLimits(request, range, (request.object as Pod).spec ?? { containers: [] });
  },
};

async function rangesOf(core: Core, { namespace }: AdmissionRequest): Promise<readonly LimitRange[]> {
  const scope = core.catalog.find('', 'v1', 'limitranges');
  return scope === undefined ? [] : (await core.objects.list(scope, namespace)).map(({ object }) => object as LimitRange);
}

type Amounts = Readonly<Record<string, string>>;

/** A required list that nobody gave is stored as null. */
function limitsOf(spec: LimitRange['spec']): readonly LimitRangeItem[] {
  const limits: readonly LimitRangeItem[] | null = spec?.limits ?? null;
  return limits ?? [];
}

function withDefaults(pod: Pod, { spec }: LimitRange): Pod {
  const item = limitsOf(spec).find(({ type }) => type === 'Container');
  if (pod.spec === undefined || item === undefined) return pod;
  const said: string[] = [];
  const fill = (container: Container, what: string): Container => {
    const { requests = {}, limits = {} } = container.resources ?? {};
    const [asked, allowed] = [absent(item.defaultRequest, requests), absent(item.default, limits)];
    if (Object.keys(asked).length > 0) said.push(`${Object.keys(asked).sort().join(', ')} request for ${what} ${container.name}`);
    if (Object.keys(allowed).length > 0) said.push(`${Object.keys(allowed).sort().join(', ')} limit for ${what} ${container.name}`);
    const filled = { requests: { ...requests, ...asked }, limits: { ...limits, ...allowed } };
    const kept = Object.fromEntries(Object.entries(filled).filter(([, amounts]) => Object.keys(amounts).length > 0));
    return { ...container, resources: { ...container.resources, ...kept } };
  };
  const containers = pod.spec.containers.map((container) => fill(container, 'container'));
  const initContainers = pod.spec.initContainers?.map((container) => fill(container, 'init container'));
  if (said.length === 0) return pod;
  const annotations = { ...pod.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${said.join('; ')}` };
  return { ...pod, metadata: { ...pod.metadata, annotations }, spec: { ...pod.spec, containers, ...(initContainers !== undefined && { initContainers }) } };
}

function absent(usual: Amounts = {}, present: Amounts): Amounts {
  return Object.fromEntries(Object.entries(usual).filter(([name]) => present[name] === undefined));
}

function checkLimits(request: AdmissionRequest, { spec }: LimitRange, pod: PodSpec): void {
  const problems = limitsOf(spec).flatMap((item) => {
    if (item.type === 'Container') return [...pod.containers, ...(pod.initContainers ?? [])].flatMap(({ resources }) => itemProblems(item, resources ?? {}));
    return item.type === 'Pod' ? itemProblems(item, ofPod(pod)) : [];
  });
  if (problems.length > 0) throw refused(request, problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`);
}

interface Amounted {
  readonly requests?: Amounts | undefined;
  readonly limits?: Amounts | undefined;
}

function itemProblems(
  { type, min = {}, max = {}, maxLimitRequestRatio: ratio = {} }: LimitRangeItem,
  { requests = {}, limits = {} }: Amounted,
): readonly string[] {
  const problems: string[] = [];
  for (const [name, bound] of Object.entries(min)) {
    const what = `minimum ${name} usage per ${type} is ${bound}`;
    if (requests[name] === undefined) problems.push(`${what}.  No request is specified`);
    else if (compare(requests[name], bound) < 0) problems.push(`${what}, but request is ${requests[name]}`);
    else if (limits[name] !== undefined && compare(limits[name], bound) < 0) problems.push(`${what}, but limit is ${limits[name]}`);
  }
  for (const [name, bound] of Object.entries(max)) {
    const what = `maximum ${name} usage per ${type} is ${bound}`;
    if (limits[name] === undefined) problems.push(`${what}.  No limit is specified`);
    else if (compare(limits[name], bound) > 0) problems.push(`${what}, but limit is ${limits[name]}`);
    else if (requests[name] !== undefined && compare(requests[name], bound) > 0) problems.push(`${what}, but request is ${requests[name]}`);
  }
  for (const [name, bound] of Object.entries(ratio))
    problems.push(...ratioProblem(`${name} max limit to request ratio per ${type} is ${bound}`, bound, requests[name], limits[name]));
  return problems;
}

function ratioProblem(what: string, bound: string, request: string | undefined, limit: string | undefined): readonly string[] {
  if (request === undefined || isZero(request)) return [`${what}, but no request is specified or request is 0`];
  if (limit === undefined || isZero(limit)) return [`${what}, but no limit is specified or limit is 0`];
  const provided = approximate(limit) / approximate(request);
  return provided > approximate(bound) ? [`${what}, but provided ratio is ${provided.toFixed(6)}`] : [];
}

function approximate(text: string): number {
  return parseQuantity(text)?.approximate() ?? 0;
}

function isZero(text: string): boolean {
  return approximate(text) === 0;
}

function compare(a: string, b: string): number {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  return left === undefined || right === undefined ? 0 : left.compare(right);
}

/** What a pod uses as a whole. */
function ofPod(pod: PodSpec): Amounted {
  const texts = (member: 'requests' | 'limits'): Amounts => Object.fromEntries([...podAmounts(pod, member)].map(([name, amount]) => [name, amount.toString()]));
  return { requests: texts('requests'), limits: texts('limits') };
}
