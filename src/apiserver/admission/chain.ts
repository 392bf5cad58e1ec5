/** The admission chain: which plugins run, in upstream's order. */
import type { ApiObject } from '#machinery';
import type { Core } from '../options.ts';
import { DEFAULT_TOLERATION_SECONDS_PLUGIN } from './default-toleration-seconds.ts';
import { LIMIT_RANGER } from './limit-ranger.ts';
import { NAMESPACE_LIFECYCLE } from './namespace-lifecycle.ts';
import { NODE_RESTRICTION } from './node-restriction.ts';
import type { AdmissionOfObject, AdmissionPlugin, AdmissionRequest } from './plugin.ts';
import { POD_GROUP_PROTECTION } from './pod-group-protection.ts';
import { POD_GROUP_WORKLOAD_EXISTS } from './pod-group-workload-exists.ts';
import { POD_TOPOLOGY_LABELS } from './pod-topology-labels.ts';
import { PRIORITY } from './priority.ts';
import { RESOURCE_QUOTA_PLUGIN } from './resource-quota.ts';
import { SERVICE_ACCOUNT_PLUGIN } from './service-account.ts';

/** Upstream: AllOrderedPlugins, as far as dray has them. */
const PLUGINS: readonly AdmissionPlugin[] = [
  NAMESPACE_LIFECYCLE,
  LIMIT_RANGER,
  SERVICE_ACCOUNT_PLUGIN,
  NODE_RESTRICTION,
  PRIORITY,
  DEFAULT_TOLERATION_SECONDS_PLUGIN,
  POD_GROUP_PROTECTION,
  POD_TOPOLOGY_LABELS,
  POD_GROUP_WORKLOAD_EXISTS,
  RESOURCE_QUOTA_PLUGIN,
];

/** Names that --enable-admission-plugins and --disable-admission-plugins take. */
export const ADMISSION_PLUGINS: readonly string[] = PLUGINS.map(({ name }) => name);

/** Which of the plugins, all of which run by default, not to run. */
export interface AdmissionChoice {
  readonly enabled?: readonly string[] | undefined;
  readonly disabled?: readonly string[] | undefined;
}

/** The plugins of one API server. */
export class AdmissionChain {
  readonly #mutating: readonly NonNullable<AdmissionPlugin['admit']>[];
  readonly #validating: readonly NonNullable<AdmissionPlugin['validate']>[];

  /** All of them run but those that are disabled. */
  constructor({ enabled = [], disabled = [] }: AdmissionChoice = {}) {
    const plugins = PLUGINS.filter(({ name }) => enabled.includes(name) || !disabled.includes(name));
    this.#mutating = plugins.flatMap(({ admit = [] }) => admit);
    this.#validating = plugins.flatMap(({ validate = [] }) => validate);
  }

  /** Lets the mutating plugins change the object; it has their last word on it. */
  async admit(core: Core, request: AdmissionOfObject): Promise<ApiObject> {
    let asked = request;
    for (const admit of this.#mutating) {
      const object = await admit(core, asked);
      if (object !== asked.object) asked = { ...asked, object };
    }
    return asked.object;
  }

  /** Asks the validating plugins. */
  async validate(core: Core, request: AdmissionRequest): Promise<void> {
    for (const validate of this.#validating) await validate(core, request);
  }
}
